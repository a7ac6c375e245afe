"""Runs a `grader.py`: its tests in source order, each with a deadline, tables cleared before each.

Graders are ours and run in this process. Whether one is broken is not decided here: what a test raised that is no
assertion is handed back, and `grade.py` asks the answer.
"""

from __future__ import annotations

import asyncio
import inspect
import linecache
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, TracebackType

from convex_evals.backends.failures import CallFailed
from convex_evals.errors import GraderBroken, TrialFailed, boundary
from convex_evals.graders.grading import Grading
from convex_evals.types import Eval, TestResult

GRADER_FILE = "grader.py"
TEST_SECONDS = 30.0
MESSAGE_CHARACTERS = 8000

LOADING_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What executing a grader file raises when it is wrong."""

Test = Callable[[Grading], Awaitable[None]]


@dataclass(frozen=True)
class GraderRun:
    """What became of a grader's tests."""

    tests: Mapping[str, TestResult]
    """Every test that the grader declares, in source order."""
    not_assertions: Mapping[str, str] = field(default_factory=dict)
    """Test → traceback, for tests that ended with neither an assertion nor a failed call: the submission returned
    something that the grader does not expect, or the grader is wrong. If it happens on the answer too, it is."""


async def run_python(ev: Eval, grading: Grading) -> GraderRun:
    """Run all tests of an eval's grader. Raises GraderBroken when it has none or does not load; TrialFailed from
    a deployment or browser that is gone passes through."""
    tests = discover(load(ev.path / GRADER_FILE))
    results: dict[str, TestResult] = {}
    not_assertions: dict[str, str] = {}
    for name, test in tests.items():
        started = time.perf_counter()
        message, unexpected = await _outcome(test, grading, ev.path / GRADER_FILE)
        seconds = time.perf_counter() - started
        results[name] = TestResult("pass", "", seconds)
        if message is not None:
            results[name] = TestResult("fail", message[:MESSAGE_CHARACTERS], seconds)
        if unexpected is not None:
            not_assertions[name] = unexpected
    return GraderRun(results, not_assertions)


def load(path: Path) -> ModuleType:
    """Execute a grader file. Raises GraderBroken."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise GraderBroken(f"{path}: {error}") from error
    module = ModuleType(f"convex_evals_grader_{path.parent.name}")
    module.__file__ = str(path)
    with boundary(GraderBroken, f"{path} does not load", *LOADING_ERRORS):
        # Compiled here instead of imported: an import leaves __pycache__ in the eval's folder, whose content is hashed.
        exec(compile(text, str(path), "exec", dont_inherit=True), module.__dict__)
    return module


def discover(module: ModuleType) -> Mapping[str, Test]:
    """The tests of a grader in source order. Raises GraderBroken when there is none or one is not async."""
    found = {
        name: value
        for name, value in vars(module).items()
        if name.startswith("test_") and inspect.isfunction(value) and value.__code__.co_filename == module.__file__
    }
    for name, value in found.items():
        if not inspect.iscoroutinefunction(value):
            raise GraderBroken(f"{module.__file__}: {name} must be `async def {name}(g: Grading) -> None`")
    if not found:
        raise GraderBroken(f"{module.__file__} declares no test: `async def test_…(g: Grading) -> None`")
    return dict(sorted(found.items(), key=lambda item: item[1].__code__.co_firstlineno))


async def _outcome(test: Test, grading: Grading, path: Path) -> tuple[str | None, str | None]:
    """The message of a failed test, and the traceback if what failed it was no assertion."""
    try:
        await grading.clear()
    except AssertionError as full:
        return str(full), None
    running = asyncio.ensure_future(test(grading))
    try:
        done, _ = await asyncio.wait({running}, timeout=TEST_SECONDS)
        waiting_at = [frame.f_lineno for frame in running.get_stack()]
    finally:
        running.cancel()
    if not done:
        await asyncio.wait({running})
        return f"{path.name}:{waiting_at[-1]}: not finished within {TEST_SECONDS:g} s", None
    error = running.exception()
    if error is None:
        return None, None
    if isinstance(error, AssertionError | CallFailed):
        return _where(path, error) + _said(error, path), None
    if isinstance(error, TrialFailed) or not isinstance(error, Exception):
        raise error
    return f"{_where(path, error)}{type(error).__name__}: {error}", "".join(traceback.format_exception(error))


def _said(error: AssertionError | CallFailed, path: Path) -> str:
    """The message; the source line for an assertion without one."""
    if str(error):
        return str(error)
    line = _line(path, error.__traceback__)
    return linecache.getline(str(path), line).strip() if line else type(error).__name__


def _where(path: Path, error: BaseException | None) -> str:
    line = _line(path, error.__traceback__ if error is not None else None)
    return f"{path.name}:{line}: " if line else ""


def _line(path: Path, trace: TracebackType | None) -> int:
    """Line of the grader in which a test ended, the innermost one; 0 if it is not on the stack."""
    lines = [entry.lineno for entry in traceback.extract_tb(trace) if entry.filename == str(path)]
    return (lines[-1] or 0) if lines else 0
