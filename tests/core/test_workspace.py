"""Nothing is written outside the root, through a link, or over another file; folders keep the rules of replies."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convex_evals.errors import ReplyUnusable
from convex_evals.workspace import read_folder, write_files


def test_round_trip(tmp_path: Path) -> None:
    files = {"convex/index.ts": "é\n", "package.json": "{}\n", "src/a/b.tsx": "", ".env.local": "A=1\n"}
    write_files(files, tmp_path / "new" / "root")
    assert read_folder(tmp_path / "new" / "root") == files


@pytest.mark.parametrize(
    "path",
    [
        "../x.ts",
        "/x.ts",
        "a/../../x.ts",
        "C:/x.ts",
        "..",
        "",
        "a//b.ts",
        "./a.ts",
        "a\\..\\..\\x.ts",
        "node_modules/x.js",
        "a\x00.ts",
        "bun.lock",
        "convex/_generated/api.ts",
        "a/",
        "con\ud800.ts",
        "a /b.ts",
        "x" * 101,
        "a/" * 101 + "x",
    ],
)
def test_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    with pytest.raises(ReplyUnusable, match="refused path"):
        write_files({path: "x"}, root)
    assert [entry for entry in tmp_path.rglob("*") if entry != root] == []


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.text(alphabet="./\\aA~:\x00 é", max_size=12), st.just("x"), max_size=4))
def test_any_name_stays_inside(tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]) -> None:
    outer = tmp_path_factory.mktemp("outer")
    try:
        write_files(files, outer / "root")
    except ReplyUnusable:
        assert [entry.name for entry in outer.iterdir()] in ([], ["root"])
    else:
        assert read_folder(outer / "root").keys() == files.keys()


@pytest.mark.parametrize("target", ["folder", "file"])
def test_links_are_not_followed_when_writing(tmp_path: Path, target: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (outside / "x.ts").write_text("kept")
    root.mkdir()
    if target == "folder":
        (root / "convex").symlink_to(outside)
    else:
        (root / "convex").mkdir()
        (root / "convex" / "x.ts").symlink_to(outside / "x.ts")
    with pytest.raises(ReplyUnusable):
        write_files({"convex/x.ts" if target == "file" else "convex/new.ts": "hostile"}, root)
    assert (outside / "x.ts").read_text() == "kept"
    assert [path.name for path in outside.iterdir()] == ["x.ts"]


def test_a_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "x.ts").symlink_to(tmp_path / "made.ts")
    with pytest.raises(ReplyUnusable, match="already there"):
        write_files({"x.ts": "hostile"}, tmp_path / "root")
    assert not (tmp_path / "made.ts").exists()


def test_links_are_refused_when_reading(tmp_path: Path) -> None:
    (tmp_path / "secret.ts").symlink_to("/etc/hostname")
    with pytest.raises(ReplyUnusable, match="it is a link"):
        read_folder(tmp_path)


def test_what_tools_make_is_left_out(tmp_path: Path) -> None:
    for path in ("node_modules/a/x.js", "convex/_generated/api.js", "bun.lock", ".git/config", "convex/index.ts"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    (tmp_path / "icon.png").write_bytes(b"\x89PNG\x00\xff")
    assert read_folder(tmp_path) == {"convex/index.ts": "x"}


def test_clashes_and_text_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ReplyUnusable, match="letter case"):
        write_files({"a.ts": "", "A.ts": ""}, tmp_path)
    with pytest.raises(ReplyUnusable, match="Unicode"):
        write_files({"a.ts": "\ud800"}, tmp_path)
    with pytest.raises(ReplyUnusable, match="no such folder"):
        read_folder(tmp_path / "none")


def test_special_files_are_refused_not_read(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.ts")
    with pytest.raises(ReplyUnusable, match="no ordinary file"):
        read_folder(tmp_path)
