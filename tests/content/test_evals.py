"""The eval folders keep to the rules of authoring that can be checked without grading anything."""

from __future__ import annotations

from collections import defaultdict

import pytest

from convex_evals.grade import declared_tests
from convex_evals.suite import load_suite
from convex_evals.types import CATEGORIES, Eval

EVALS = load_suite().evals


def slugs(ev: Eval, kind: str) -> list[str]:
    return sorted(path.name for path in (ev.path / kind).iterdir())


@pytest.mark.parametrize("ev", EVALS, ids=lambda ev: ev.id)
def test_folder_is_complete(ev: Eval) -> None:
    words = ev.task.split()
    assert 45 <= len(words) <= 280, f"a task has 60 to 400 tokens, this one {len(words)} words"
    assert len(ev.why) > 80
    assert ev.tags
    assert ev.family
    assert ev.split
    assert (ev.path / "answer" / "package.json").is_file()
    assert len(slugs(ev, "wrong")) >= 3
    assert len(slugs(ev, "right")) >= 1


@pytest.mark.parametrize("ev", EVALS, ids=lambda ev: ev.id)
def test_every_wrong_project_is_expected_at_a_test_that_exists(ev: Eval) -> None:
    assert sorted(ev.expect) == slugs(ev, "wrong")
    tests = declared_tests(ev)
    for slug, expected in ev.expect.items():
        assert (expected.test is not None) == (expected.check == "behaviour"), slug
        assert expected.test is None or expected.test in tests, slug


@pytest.mark.parametrize("ev", EVALS, ids=lambda ev: ev.id)
def test_no_two_wrong_projects_are_the_same(ev: Eval) -> None:
    contents = defaultdict(list)
    for slug in slugs(ev, "wrong"):
        root = ev.path / "wrong" / slug
        files = {path.relative_to(root): path.read_text("utf-8") for path in root.rglob("*") if path.is_file()}
        answer = {path: (ev.path / "answer" / path) for path in files}
        assert any(not old.is_file() or old.read_text("utf-8") != files[path] for path, old in answer.items()), slug
        contents[repr(sorted(files.items()))].append(slug)
    assert [same for same in contents.values() if len(same) > 1] == []


def test_every_category_has_two_evals() -> None:
    counts = {category: sum(ev.category == category for ev in EVALS) for category in CATEGORIES}
    assert all(count >= 2 for count in counts.values()), counts


def test_a_family_is_in_one_split() -> None:
    splits = defaultdict(set)
    for ev in EVALS:
        splits[ev.family].add(ev.split)
    assert {family: found for family, found in splits.items() if len(found) > 1} == {}


def test_splits_have_their_sizes() -> None:
    for split, share in (("train", 0.4), ("validation", 0.3), ("held_out", 0.3)):
        actual = sum(ev.split == split for ev in EVALS) / len(EVALS)
        assert abs(actual - share) < 0.06, f"{split} holds {actual:.0%} of the evals"
