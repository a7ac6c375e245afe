"""Loopback fixtures: small HTTP servers on 127.0.0.1 that stand for the internet in a test.

A fixture records what it was asked. Whether a deployment may reach its port is decided elsewhere (`grading`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Content = str | bytes | dict[str, Any] | list[Any]
Answer = tuple[int, Content] | tuple[int, Content, Mapping[str, str]]
"""Status, body (dict and list are sent as JSON), headers."""


@dataclass(frozen=True)
class Recorded:
    """One request that a fixture received."""

    method: str
    path: str
    """Without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises AssertionError when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise AssertionError(f"{self.method} {self.path} carried no JSON: {self.text[:500]!r}") from None


Handler = Callable[[Recorded], Awaitable[Answer]] | Mapping[str, Answer]
"""An async function of the request, or answers by path (any method; 404 for other paths)."""


@dataclass
class Loopback:
    """A running fixture."""

    port: int
    requests: list[Recorded] = field(default_factory=list)
    """All requests, oldest first."""

    @property
    def url(self) -> str:
        """http://127.0.0.1:<port>, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def loopback(handler: Handler) -> AsyncIterator[Loopback]:
    """Serve on a free port of 127.0.0.1 while the block runs."""
    fixture = Loopback(port=0)

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        recorded = Recorded(request.method, request.path, request.query, request.headers, await request.read())
        fixture.requests.append(recorded)
        return _response(await _answer(handler, recorded))

    server = web.Server(respond, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        fixture.port = listener.sockets[0].getsockname()[1]
        yield fixture
    finally:
        listener.close()
        await server.shutdown(timeout=1.0)
        await listener.wait_closed()


async def _answer(handler: Handler, request: Recorded) -> Answer:
    if isinstance(handler, Mapping):
        return handler.get(request.path, (404, f"the fixture has no {request.path}"))
    return await handler(request)


def _response(answer: Answer) -> web.Response:
    status, content = answer[0], answer[1]
    headers = dict(answer[2]) if len(answer) == 3 else {}
    if isinstance(content, bytes):
        return web.Response(status=status, body=content, headers=headers)
    if isinstance(content, str):
        return web.Response(status=status, text=content, headers=headers)
    headers.setdefault("Content-Type", "application/json")
    return web.Response(status=status, body=json.dumps(content).encode(), headers=headers)
