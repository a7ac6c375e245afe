"""A real server with hand-written projects, bundled by the esbuild of the tool set. Each test has its own deployment."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from projects import push_of

from convex_embedded.runtime.build import BuiltRuntime, build
from convex_embedded.server import EmbeddedDeployment, Server
from convex_embedded.types import Limits

Deploy = Callable[..., Awaitable[EmbeddedDeployment]]


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Where the npm packages of the tool set are; the environment may name another place."""
    given = os.environ.get("CONVEX_EVALS_NODE_MODULES")
    cached = sorted((Path.home() / ".cache" / "convex-evals").glob("tools/*/node_modules"))
    place = Path(given) if given else (cached[-1] if cached else None)
    if place is None or not (place / "convex").is_dir():
        pytest.skip("the npm tool set is not installed: run `convex-evals setup` or set CONVEX_EVALS_NODE_MODULES")
    return place


@pytest.fixture(scope="session")
def esbuild(node_modules: Path) -> Path:
    """The binary itself: the wrapper in .bin needs a Node of the machine."""
    found = [p for p in (node_modules / "@esbuild").glob("*/bin/esbuild") if p.is_file()]
    found += [p for p in (node_modules / "@esbuild").glob("*/esbuild.exe") if p.is_file()]
    assert found, "no esbuild binary among the packages"
    return found[0]


@pytest.fixture(scope="session")
def runtime(esbuild: Path, node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> BuiltRuntime:
    """The sandbox's runtime, built once."""
    return build(esbuild, node_modules, tmp_path_factory.mktemp("runtime"))


@pytest_asyncio.fixture
async def server(runtime: BuiltRuntime) -> AsyncIterator[Server]:
    server = await Server.start(runtime)
    yield server
    await server.close()


@pytest.fixture
def deploy(server: Server, esbuild: Path, tmp_path: Path) -> Deploy:
    """`await deploy({"messages.ts": source, …})` → a deployment that serves it."""

    async def deploy(
        files: dict[str, str],
        *,
        env: dict[str, str] | None = None,
        onto: EmbeddedDeployment | None = None,
        limits: Limits | None = None,
        allow: tuple[str, ...] = (),
    ) -> EmbeddedDeployment:
        folder = tmp_path / "project"
        shutil.rmtree(folder, ignore_errors=True)
        push = push_of(files, folder, esbuild, env or {})
        deployment = onto or await server.deployment(limits=limits, allow=allow)
        await deployment.push(push)
        return deployment

    return deploy
