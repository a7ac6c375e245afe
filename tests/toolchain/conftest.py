"""The installed tools, and projects made from a few lines of text."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from convex_evals.toolchain import Toolchain
from convex_evals.types import Project
from tests.toolchain.registry import Registry, registry

Prepared = Callable[[Mapping[str, str]], Awaitable[Project]]


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where `convex-evals setup` puts the tools; installs them when they are missing."""
    home = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(home) if home else Path.home() / ".cache") / "convex-evals"
    Toolchain.setup(folder, lambda line: None)
    return folder


@pytest.fixture
async def tools(cache: Path) -> AsyncIterator[Toolchain]:
    toolchain = await Toolchain.start(cache)
    yield toolchain
    await toolchain.close()


@pytest.fixture
def prepared(tools: Toolchain, tmp_path: Path) -> Prepared:
    """Files → a prepared project."""
    count = 0

    async def prepare(files: Mapping[str, str]) -> Project:
        nonlocal count
        count += 1
        folder = tmp_path / f"project-{count}"
        folder.mkdir()
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        project = Project(folder, node_modules=await tools.install(files))
        await tools.prepare(project)
        return project

    return prepare


@pytest.fixture
async def packages(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Registry]:
    """A registry of our own that npm asks instead of the real one."""
    async with registry() as served:
        monkeypatch.setenv("npm_config_registry", served.url)
        yield served
