"""How a grader.py is read: tests in source order, and a broken file is ours, with the reason."""

from pathlib import Path

import pytest

from convex_evals.errors import GraderBroken
from convex_evals.graders.python import discover, load

GOOD = """
import asyncio
from asyncio import sleep as test_imported

async def test_zebra(g): pass
async def helper(g): pass
async def test_ant(g): pass
test_number = 5
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "grader.py"
    path.write_text(text)
    return path


def test_tests_come_in_source_order(tmp_path: Path) -> None:
    assert list(discover(load(write(tmp_path, GOOD)))) == ["test_zebra", "test_ant"]
    assert [path.name for path in tmp_path.iterdir()] == ["grader.py"], "loading leaves nothing in the eval's folder"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("async def test_a(g:", "does not load: SyntaxError"),
        ("import does_not_exist", "does not load: ModuleNotFoundError"),
        ("1 / 0", "does not load: ZeroDivisionError"),
        ("x = 1", "declares no test"),
        ("def test_a(g): pass", "must be `async def test_a"),
    ],
)
def test_a_broken_grader_says_why(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(GraderBroken, match=reason):
        discover(load(write(tmp_path, text)))


def test_a_missing_grader_says_so(tmp_path: Path) -> None:
    with pytest.raises(GraderBroken, match=r"grader\.py"):
        load(tmp_path / "grader.py")
