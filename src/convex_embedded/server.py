"""Serving deployments from this process.

server = await Server.start(runtime)
deployment = await server.deployment()
await deployment.push(push)             # DeployError: the code is refused; SandboxError: ours
…                                       # any Convex client at deployment.url, HTTP actions at deployment.site_url
await server.close()
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from convex_embedded.functions.clock import Clock
from convex_embedded.functions.deployment import Deployment
from convex_embedded.functions.engine import Engine
from convex_embedded.functions.files import FileShelf
from convex_embedded.runtime.build import BuiltRuntime
from convex_embedded.sandbox import Proxy, Sandbox
from convex_embedded.store import Store
from convex_embedded.types import Limits, Push
from convex_embedded.wire.app import cloud_app, site_app
from convex_embedded.wire.auth import Gatekeeper

_SHUTDOWN_SECONDS = 2.0


@dataclass
class EmbeddedDeployment:
    """One deployment and where it is served. Made by `Server.deployment`."""

    url: str
    """Cloud URL: API, sync, storage."""
    site_url: str
    """HTTP actions."""
    admin_key: str
    port: int
    site_port: int
    _deployment: Deployment = field(repr=False)
    _sandbox: Sandbox = field(repr=False)
    _proxy: Proxy = field(repr=False)
    _runners: tuple[web.AppRunner, ...] = field(repr=False)
    _forget: Callable[[EmbeddedDeployment], None] = field(repr=False)
    _closing: asyncio.Future[None] | None = field(default=None, repr=False)

    async def push(self, push: Push) -> None:
        """Deploy code; data and files stay. Raises DeployError (then nothing has changed) or SandboxError."""
        await self._deployment.push(push)

    def allow(self, host: str, port: int) -> None:
        """Let the actions of this deployment connect there."""
        self._proxy.admit(f"{host}:{port}")

    def advance(self, seconds: float) -> None:
        """Move this deployment's clock forward: what becomes due runs."""
        self._deployment.engine.clock.advance(seconds)

    async def close(self) -> None:
        """End what runs, the process and the ports. May be called again."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._deployment.close()
        await self._sandbox.close()
        for runner in self._runners:
            await runner.cleanup()
        self._forget(self)


class Server:
    """All deployments of this process."""

    def __init__(self, runtime: BuiltRuntime) -> None:
        self._runtime = runtime
        self._deployments: list[EmbeddedDeployment] = []

    @classmethod
    async def start(cls, runtime: BuiltRuntime) -> Server:
        """`runtime`: as convex_embedded.runtime.build makes it."""
        return cls(runtime)

    async def deployment(
        self,
        *,
        limits: Limits | None = None,
        allow: Sequence[str] = (),
        admin_key: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        site_port: int = 0,
    ) -> EmbeddedDeployment:
        """An empty deployment, served at once.

        `allow`: "host:port" (or "host": ports 80 and 443) that actions may fetch from; its own URLs always. `port` 0:
        any free one. `admin_key` None: a random one. Raises OSError when a port is taken.
        """
        limits = limits or Limits()
        with_cloud = _listen(host, port)
        try:
            with_site = _listen(host, site_port)
        except OSError:
            with_cloud.close()
            raise
        url, site_url = _url(with_cloud), _url(with_site)
        proxy = Proxy(allow=tuple(allow))
        for own in (url, site_url):
            proxy.admit(own.removeprefix("http://"))
        sandbox = Sandbox(self._runtime, limits, proxy)
        clock = Clock()
        engine = Engine(
            store=Store(clock_ns=clock.now_ns),
            sandbox=sandbox,
            files=FileShelf(limits.storage_mib * 1024 * 1024),
            url=url,
            site_url=site_url,
            clock=clock,
        )
        deployment = Deployment(engine)
        admin_key = admin_key or f"embedded|{secrets.token_hex(24)}"
        gatekeeper = Gatekeeper(admin_key)
        apps = (cloud_app(deployment, gatekeeper), site_app(deployment, gatekeeper))
        runners = (await _serve(apps[0], with_cloud), await _serve(apps[1], with_site))
        ports = (with_cloud.getsockname()[1], with_site.getsockname()[1])
        made = EmbeddedDeployment(url, site_url, admin_key, *ports, deployment, sandbox, proxy, runners, self._forget)
        self._deployments.append(made)
        return made

    async def close(self) -> None:
        """Close every deployment."""
        await asyncio.gather(*(deployment.close() for deployment in self._deployments))

    def _forget(self, deployment: EmbeddedDeployment) -> None:
        self._deployments = [other for other in self._deployments if other is not deployment]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=256)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _serve(app: web.Application, listener: socket.socket) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS, handle_signals=False)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner
