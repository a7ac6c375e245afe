"""Conditions with a deadline, expected failures, and equality that knows Convex's types."""

import asyncio
import re

import pytest

from convex_evals.backends.failures import CallFailed
from convex_evals.backends.values import Int64
from convex_evals.graders.waiting import assert_equal, raises, rejects, same, wait_until


async def fail(message: str = "Uncaught Error: no", data: object = None) -> None:
    raise CallFailed("m:f", message, data)


async def test_wait_until_gives_the_first_true_answer() -> None:
    answers = iter([None, [], "there"])
    assert await wait_until(lambda: next(answers)) == "there"


async def test_wait_until_counts_an_assertion_as_not_yet() -> None:
    tries = []

    async def third_time() -> bool:
        tries.append(1)
        assert len(tries) == 3, f"{len(tries)} tries"
        return True

    assert await wait_until(third_time) is True


async def test_wait_until_says_what_it_saw_last() -> None:
    with pytest.raises(AssertionError, match=r"two rows: not within 0\.05 s; last answer: \[\]"):
        await wait_until(lambda: [], seconds=0.05, what="two rows")


async def test_rejects_gives_the_failure() -> None:
    failure = await rejects(fail("ArgumentValidationError: x", {"code": 1}), match="ArgumentValidationError")
    assert failure.data == {"code": 1}
    await rejects(fail(), match=re.compile("Error: n."))


async def test_rejects_wants_a_failure_with_that_text() -> None:
    with pytest.raises(AssertionError, match=r"expected the call to fail with 'x', but it returned 5"):
        await rejects(asyncio.sleep(0, 5), match="x")
    with pytest.raises(AssertionError, match=r"with 'x', but it says: Uncaught Error: no"):
        await rejects(fail(), match="x")


async def test_raises_takes_a_kind_or_a_text() -> None:
    with raises("Error: no") as caught:
        await fail()
    assert caught.message == "m:f: Uncaught Error: no"
    with pytest.raises(AssertionError, match="expected CallFailed, but nothing failed"), raises():
        pass
    with pytest.raises(ZeroDivisionError), raises(CallFailed):
        _ = 1 / 0


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (True, 1, False),
        ([False], [0], False),
        (Int64(1), 1, False),
        ({"a": (1, 2)}, {"a": [1, 2]}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (b"x", "x", False),
    ],
)
def test_equality_of_convex_values(left: object, right: object, equal: bool) -> None:
    assert same(left, right) is equal
    assert same(right, left) is equal


def test_a_difference_is_shown_as_a_diff() -> None:
    with pytest.raises(AssertionError, match=r'(?s)row differs.*-  "a": 1,.*\+  "a": "2n",'):
        assert_equal({"a": Int64(2), "b": 1}, {"a": 1, "b": 1}, "row")
