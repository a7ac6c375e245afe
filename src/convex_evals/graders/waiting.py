"""How graders await conditions and expect failures. Knows no deployment."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from convex_evals.backends.failures import CallFailed
from convex_evals.backends.values import Int64, Value

Match = str | re.Pattern[str] | None
"""Text that has to occur, a compiled pattern that has to be found, or anything."""

DIFF_LINES = 4000
DIFF_CONTEXT = 4
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.2


@dataclass
class Caught:
    """What a `raises` block caught, filled when the block ends."""

    value: Any = None
    """The exception."""

    @property
    def message(self) -> str:
        """Text of the exception."""
        return str(self.value)

    @property
    def data(self) -> Value:
        """ConvexError data of a CallFailed."""
        return self.value.data


@contextmanager
def raises(kind: type[Exception] | str = CallFailed, match: Match = None) -> Iterator[Caught]:
    """Expect the block to fail: `with raises(CallFailed)`, or `with raises("ArgumentValidationError")` for a call that
    fails with this text. Raises AssertionError when it does not fail so."""
    if isinstance(kind, str):
        match = kind
        kind = CallFailed
    caught = Caught()
    try:
        yield caught
    except kind as error:
        caught.value = error
        check_match(str(error), match)
    else:
        raise AssertionError(f"expected {kind.__name__}{_expected(match)}, but nothing failed")


async def rejects(call: Awaitable[Any], match: Match = None) -> CallFailed:
    """Await a call that has to fail; gives the failure. Raises AssertionError when it succeeds or fails otherwise."""
    try:
        value = await call
    except CallFailed as error:
        check_match(error.message, match)
        return error
    raise AssertionError(f"expected the call to fail{_expected(match)}, but it returned {value!r}")


def check_match(text: str, match: Match) -> None:
    """Raise AssertionError unless the text holds the match."""
    found = match is None or (match in text if isinstance(match, str) else match.search(text) is not None)
    if not found:
        raise AssertionError(f"expected a failure{_expected(match)}, but it says: {text}")


async def wait_until(predicate: Callable[[], Any], *, seconds: float = 5.0, what: str = "the condition") -> Any:
    """Ask until the predicate (async or not) gives something true; gives that. An AssertionError in it counts as
    "not yet". Raises AssertionError, with the last answer, when `seconds` have passed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            value = predicate()
            if inspect.isawaitable(value):
                value = await value
            last = repr(value)
        except AssertionError as error:
            value, last = None, str(error)
        if value:
            return value
        if loop.time() + pause > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s; last answer: {last}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def assert_equal(actual: Value, expected: Value, what: str = "value") -> None:
    """Deep equality of Convex values with a diff in the message. Unlike `==`, True is not 1."""
    if not same(actual, expected):
        raise AssertionError(f"{what} differs\n{diff(actual, expected)}")


def same(actual: Value, expected: Value) -> bool:
    """Deep equality of Convex values: numbers by value, True is not 1, Int64 is no number."""
    match actual, expected:
        case bool(), _:
            return actual is expected
        case _, bool():
            return False
        case dict(), dict():
            return actual.keys() == expected.keys() and all(same(actual[key], expected[key]) for key in actual)
        case ((list() | tuple()), (list() | tuple())):
            return len(actual) == len(expected) and all(map(same, actual, expected))
        case _:
            return bool(actual == expected)


def diff(actual: Any, expected: Any) -> str:
    """Unified diff of two values, line by line of their indented JSON; of large ones, from the first difference on."""
    old, new = _lines(expected), _lines(actual)
    if max(len(old), len(new)) > DIFF_LINES:
        same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        start = max(0, same - DIFF_CONTEXT)
        old, new = old[start : start + DIFF_LINES], new[start : start + DIFF_LINES]
    return "\n".join(unified_diff(old, new, "expected", "actual", lineterm="", n=DIFF_CONTEXT))


def _lines(value: Any) -> list[str]:
    return json.dumps(value, indent=2, sort_keys=True, default=_plain, ensure_ascii=False).splitlines()


def _plain(value: Any) -> str:
    return f"{value.value}n" if isinstance(value, Int64) else repr(value)


def _expected(match: Match) -> str:
    if match is None:
        return ""
    return f" with {match!r}" if isinstance(match, str) else f" matching {match.pattern!r}"
