"""Both layouts, the filters, the hash, and that every mistake of an author is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from worlds import EVAL_TOML, make_eval

from convex_evals.errors import UsageError
from convex_evals.suite import content_folder, find, load_suite, select
from convex_evals.types import CHECKS, Expectation


def make_public(root: Path, category: str, name: str, pipeline: str | None = None) -> Path:
    folder = root / category / name
    (folder / "answer" / "convex").mkdir(parents=True)
    (folder / "TASK.txt").write_text("Write `convex/index.ts`.")
    (folder / "grader.test.ts").write_text('import { responseClient } from "../../../grader";\n')
    if pipeline:
        (folder / "eval.json").write_text(json.dumps({"pipeline": pipeline}))
    return folder


def test_native_layout_is_read_whole(tmp_path: Path) -> None:
    toml = 'needs = ["browser"]\nnetwork = ["localhost"]\n[env]\nKEY = "v"\n'
    folder = make_eval(tmp_path, "queries/pagination", toml=toml.split("[env]")[0] + EVAL_TOML + "[env]\nKEY = 'v'\n")
    (ev,) = load_suite(tmp_path).evals
    assert (ev.id, ev.category, ev.name, ev.path, ev.layout) == (
        *("queries/pagination", "queries", "pagination", folder, "native"),
    )
    assert ev.task == "Write `convex/index.ts`."
    assert (ev.split, ev.family, ev.tags, ev.why) == ("train", "f", ("query",), "w")
    assert (ev.needs, ev.network, ev.env) == ({"browser"}, ("localhost",), {"KEY": "v"})
    assert ev.checks == set(CHECKS)
    assert ev.expect == {"slug": Expectation("deploy", None, "x")}


def test_public_layout_strips_prefixes_for_ids_and_keeps_them_in_paths(tmp_path: Path) -> None:
    root = tmp_path / "evals"
    second = make_public(root, "001-queries", "001-pages")
    make_public(root, "000-basics", "010-last")
    make_public(root, "000-basics", "009-first", pipeline="static")
    suite = load_suite(root)
    assert [ev.id for ev in suite.evals] == ["basics/first", "basics/last", "queries/pages"]
    assert suite.evals[2].path == second
    assert "deploy" not in suite.evals[0].checks
    assert suite.evals[1].checks == set(CHECKS)
    assert find(suite, "001-queries/001-pages").id == "queries/pages"


def test_shared_helpers_of_a_public_suite_are_part_of_the_hash(tmp_path: Path) -> None:
    make_public(tmp_path / "evals", "000-a", "000-b")
    (tmp_path / "package.json").write_text("{}")
    before = load_suite(tmp_path / "evals")
    (tmp_path / "grader.ts").write_text("export {}")
    after = load_suite(tmp_path / "evals")
    assert before.evals[0].hash != after.evals[0].hash
    assert before.hash != after.hash


def test_hash_follows_what_decides_and_nothing_else(tmp_path: Path) -> None:
    folder = make_eval(tmp_path, "queries/a")
    first = load_suite(tmp_path).evals[0].hash
    for neutral in (
        "wrong/x/convex/index.ts",
        "right/x/convex/index.ts",
        "answer/node_modules/x.js",
        "__pycache__/g.pyc",
    ):
        (folder / neutral).parent.mkdir(parents=True, exist_ok=True)
        (folder / neutral).write_text("x")
    assert load_suite(tmp_path).evals[0].hash == first
    seen = {first}
    for decisive in ("TASK.txt", "grader.py", "answer/convex/index.ts", "answer/new.ts"):
        (folder / decisive).write_text("changed")
        seen.add(load_suite(tmp_path).evals[0].hash)
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("TASK.txt", "  \n", "is empty"),
        ("eval.toml", "why = ", "Invalid value"),
        ("eval.toml", "whi = 1", "unknown key 'whi'"),
        ("eval.toml", "split = 'test'", "must be one of train"),
        ("eval.toml", "api = 'query'", "api must be a list of strings"),
        ("eval.toml", "why = 3", "why must be a string"),
        ("eval.toml", "[env]\nA = 1", "must be a string"),
        ("eval.toml", "env = 3", "must be a table"),
        ("eval.toml", "checks = ['speed']", "must be among"),
        ("eval.toml", "[expect.x]\ncheck = 'speed'", "needs check"),
        ("eval.toml", "[expect.x]\ncheck = 'deploy'\ntests = 'a'", "needs check"),
    ],
)
def test_mistakes_of_an_author_are_named(tmp_path: Path, file: str, text: str, message: str) -> None:
    folder = make_eval(tmp_path, "queries/a")
    (folder / file).write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        load_suite(tmp_path)
    assert str(folder / file) in str(caught.value)


def test_missing_parts_are_named(tmp_path: Path) -> None:
    folder = make_eval(tmp_path, "queries/a")
    (folder / "grader.py").unlink()
    with pytest.raises(UsageError, match=r"grader\.py is missing"):
        load_suite(tmp_path)
    (folder / "TASK.txt").unlink()
    with pytest.raises(UsageError, match=r"TASK\.txt is missing"):
        load_suite(tmp_path)


def test_folders_without_evals_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no evals here"):
        load_suite(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        load_suite(tmp_path / "none")


def test_ids_that_collide_are_named(tmp_path: Path) -> None:
    make_public(tmp_path, "000-a", "000-b")
    make_public(tmp_path, "001-a", "000-b")
    with pytest.raises(UsageError, match="both called a/b"):
        load_suite(tmp_path)


def test_filters_meet(tmp_path: Path) -> None:
    for name in ("queries/pages", "queries/joins", "actions/pages"):
        make_eval(tmp_path, name)
    suite = load_suite(tmp_path)
    assert [ev.id for ev in suite.evals] == ["queries/joins", "queries/pages", "actions/pages"]
    ids = lambda **given: [ev.id for ev in select(suite, **given)]  # noqa: E731
    assert ids() == [ev.id for ev in suite.evals]
    assert ids(categories=["queries"]) == ["queries/joins", "queries/pages"]
    assert ids(pattern="pages$", categories=["queries"]) == ["queries/pages"]
    assert ids(ids=["joins", "actions/pages"]) == ["queries/joins", "actions/pages"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"categories": ["query"]}, "no category 'query'; there are: queries, actions"),
        ({"pattern": "("}, "no regular expression"),
        ({"pattern": "zzz"}, "no eval meets"),
        ({"ids": ["queries/page"]}, "did you mean queries/pages"),
        ({"ids": ["pages"]}, "ambiguous: queries/pages, actions/pages"),
        ({"ids": ["zzzzzz"]}, "convex-evals list"),
    ],
)
def test_filters_that_name_nothing_say_what_there_is(tmp_path: Path, given: dict[str, object], message: str) -> None:
    for name in ("queries/pages", "actions/pages"):
        make_eval(tmp_path, name)
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        select(load_suite(tmp_path), **given)  # type: ignore[arg-type]


def test_packaged_suite_loads() -> None:
    suite = load_suite()
    assert suite.path == content_folder() / "evals"
    assert "fundamentals/empty_functions" in {ev.id for ev in suite.evals}
