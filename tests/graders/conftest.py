"""Projects of a few lines, deployed on the embedded backend, as a grader meets them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from convex_evals.backends.embedded import EmbeddedBackend
from convex_evals.graders.browser import Browser
from convex_evals.graders.grading import Grading, Materials, open_grading
from convex_evals.toolchain import Toolchain
from convex_evals.types import Deployment, Eval, Project

Files = Mapping[str, str]
Graded = Callable[..., Awaitable[Grading]]


@pytest.fixture
async def own_tools(cache: Path) -> AsyncIterator[Toolchain]:
    """The toolchain, in the event loop of this test."""
    tools = await Toolchain.start(cache)
    try:
        yield tools
    finally:
        await tools.close()


@pytest.fixture
async def own_backend(own_tools: Toolchain, cache: Path) -> AsyncIterator[EmbeddedBackend]:
    """The embedded backend, in the event loop of this test."""
    backend = await EmbeddedBackend.start(own_tools, cache)
    try:
        yield backend
    finally:
        await backend.close()


@pytest.fixture
async def graded(own_tools: Toolchain, own_backend: EmbeddedBackend, tmp_path: Path) -> AsyncIterator[Graded]:
    """`await graded(files, answer=…, grader=…)`: a grading of these files; without an answer they are their own."""
    async with AsyncExitStack() as stack:

        async def deploy(folder: Path, files: Files) -> tuple[Project, Deployment]:
            for path, text in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text)
            project = Project(folder, node_modules=await own_tools.install(files))
            await own_tools.prepare(project)
            deployment = await own_backend.deploy(project)
            stack.push_async_callback(deployment.close)
            return project, deployment

        async def make(
            files: Files, *, answer: Files | None = None, grader: str = "", browser: Browser | None = None
        ) -> Grading:
            home = tmp_path / "eval"
            (home / "answer").mkdir(parents=True)
            (home / "grader.py").write_text(grader)
            project, response = await deploy(tmp_path / "submission", files)

            async def reference() -> Deployment:
                return (await deploy(tmp_path / "reference", answer or files))[1]

            ev = Eval("cat/one", "cat", "one", home, "task")
            materials = Materials(ev, project, files, response, reference, own_tools, browser)
            return await stack.enter_async_context(open_grading(materials))

        yield make
