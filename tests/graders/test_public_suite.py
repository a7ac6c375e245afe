"""The suite of tests/data in the public layout, unchanged, through the whole grader."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from convex_evals.grade import Grader, open_grader
from convex_evals.suite import load_suite
from convex_evals.types import Eval, Score, Submission
from convex_evals.workspace import read_folder

SUITE = Path(__file__).parents[1] / "data" / "public_suite" / "evals"
ADMIN_KEY = "public-suite|3f6c1d0a9b7e4825"
EVALS = {ev.name: ev for ev in load_suite(SUITE).evals}


@pytest.fixture
async def grader(cache: Path, tmp_path: Path) -> AsyncIterator[Grader]:
    async with open_grader(cache, tmp_path, ADMIN_KEY) as grader:
        yield grader


def failing(score: Score) -> list[str]:
    return [name for check in score.checks for name, test in check.tests.items() if test.status == "fail"]


async def grade(grader: Grader, ev: Eval, folder: Path) -> Score:
    return await grader.grade(ev, Submission(read_folder(folder)))


async def test_all_answers_pass(grader: Grader) -> None:
    assert sorted(EVALS) == ["note_board", "remote_title", "shelf_index"]
    for ev in EVALS.values():
        score = await grade(grader, ev, ev.path / "answer")
        assert score.passed, [(check.name, check.status, check.detail) for check in score.checks]
    assert sorted(path.name for path in SUITE.parent.iterdir()) == [
        "README.md",
        "evals",
        "grader",
        "package.json",
        "vitest.config.ts",
    ], "the suite is only read"


MISTAKES = {
    "no_order": ("note_board", "notes.ts", '.order("desc")', "", ["notes a user sees their own, newest first"]),
    "public": ("note_board", "notes.ts", "internalQuery", "query", None),
    "index_name": ("note_board", "schema.ts", '"by_author", [', '"by_person", [', None),
    "status": ("remote_title", "pages.ts", "!== 200", "=== 404", ["a page that is gone is an error with its status"]),
    "route": ("remote_title", "http.ts", '"/titles"', '"/title"', ["the site lists the titles, oldest first"]),
}


@pytest.mark.parametrize("slug", MISTAKES)
async def test_a_mistake_fails(grader: Grader, tmp_path: Path, slug: str) -> None:
    name, file, right, wrong, tests = MISTAKES[slug]
    folder = tmp_path / "wrong"
    shutil.copytree(EVALS[name].path / "answer", folder)
    path = folder / "convex" / file
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong))
    score = await grade(grader, EVALS[name], folder)
    assert not score.passed
    assert score.first_failure is not None
    if tests is not None:
        assert failing(score) == tests, score.checks
