"""What tests of several rooms share: the cache that `convex-evals setup` filled, the toolchain, a whole grader."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from convex_evals.backends.embedded import EmbeddedBackend
    from convex_evals.toolchain import Toolchain


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where `convex-evals setup` keeps the pinned tools."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "convex-evals"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tools(cache: Path) -> AsyncIterator[Toolchain]:
    """The warm toolchain; fails, saying what to do, when it was not set up."""
    from convex_evals.toolchain import Toolchain

    toolchain = await Toolchain.start(cache)
    yield toolchain
    await toolchain.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def backend(tools: Toolchain, cache: Path) -> AsyncIterator[EmbeddedBackend]:
    """The embedded backend, serving."""
    from convex_evals.backends.embedded import EmbeddedBackend

    embedded = await EmbeddedBackend.start(tools, cache)
    yield embedded
    await embedded.close()
