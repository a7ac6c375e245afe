"""Fixtures of the sandbox tests; what they are made of is in `boxes`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from boxes import Box

from convex_embedded.runtime import BuiltRuntime
from convex_embedded.types import Limits, Push


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
async def box(runtime: BuiltRuntime, make_push: Callable[..., Push], limits: Limits) -> AsyncIterator[Box]:
    box = Box(runtime, make_push, limits)
    yield box
    await box.sandbox.close()
