"""The house style, held against every source file: guard the tail, not the average."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
BANNED_NAMES = {"utils", "common", "helpers", "manager", "base", "misc"}
LINES, FUNCTION_LINES, PARAMETERS = 400, 60, 7
TEXT = {".py", ".md", ".toml", ".ts", ".tsx", ".json", ".txt"}
ENVIRONMENT_READERS = ("convex_evals/cli/", "convex_evals/harness/")
"""Only the command line and provider code read the environment; everything else gets arguments."""


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A click command has a parameter for each option; that is its help text, not a long signature."""
    return any("click" in ast.dump(d) or "command" in ast.dump(d) for d in function.decorator_list)


def broad_excepts(tree: ast.AST) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException"))
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_a_source_file_keeps_the_house_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    complaints = []
    if text.count("\n") > LINES:
        complaints.append(f"{text.count(chr(10))} lines, at most {LINES}")
    if text.strip() and not ast.get_docstring(tree):
        complaints.append("no module docstring")
    if path.stem in BANNED_NAMES or path.stem.startswith("test_"):
        complaints.append(f"a file must not be called {path.stem}")
    for function in functions(tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES:
            complaints.append(f"{function.name} has {length} lines, at most {FUNCTION_LINES}")
        if parameters(function) > PARAMETERS and not is_command(function):
            complaints.append(f"{function.name} has {parameters(function)} parameters, at most {PARAMETERS}")
    inside = str(path.relative_to(ROOT / "src").as_posix())
    if not inside.startswith(ENVIRONMENT_READERS) and ("os.environ" in text or "os.getenv" in text):
        complaints.append("reads the environment; take an argument instead")
    assert not complaints, f"{inside}: " + "; ".join(complaints)


def test_there_is_one_broad_except() -> None:
    places = [
        f"{path.relative_to(ROOT / 'src').as_posix()}:{line}"
        for path in SOURCES
        for line in broad_excepts(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert len(places) <= 1, f"broad excepts: {places}"


@pytest.mark.parametrize("word", [f"{ROOT}/", f"{Path.home()}/", f"{tempfile.gettempdir()}/"])
def test_no_path_of_one_machine(word: str) -> None:
    here = Path(__file__)
    tracked = [p for room in ("src", "tests", "evals", "guidelines", "docs") for p in (ROOT / room).rglob("*")]
    hits = []
    for path in tracked:
        if not path.is_file() or path == here or path.suffix not in TEXT or "attack" in path.as_posix():
            continue
        if word in path.read_text(encoding="utf-8", errors="replace"):
            hits.append(str(path.relative_to(ROOT)))
    if word == f"{tempfile.gettempdir()}/":
        hits = [hit for hit in hits if not hit.startswith("tests/")]
    assert not hits, f"{word} is named in {hits}"
