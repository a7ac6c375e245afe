"""Live queries: one WebSocket a subscription, read when the caller asks for the next value.

Only the part of the sync protocol that a subscription needs. Mutations go over HTTP (`client`), so that no order
between the two is implied.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from convex_evals.backends.failures import CallFailed
from convex_evals.backends.values import Value, decode
from convex_evals.errors import BackendUnavailable

CLIENT_VERSION = "1.48.0"
CONNECT_SECONDS = 20.0
_QUERY_ID = 0


async def connect(http: aiohttp.ClientSession, url: str) -> Connection:
    """Open a sync session at a deployment's URL. Raises BackendUnavailable."""
    address = f"{url.rstrip('/').replace('http', 'ws', 1)}/api/{CLIENT_VERSION}/sync"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            socket = await http.ws_connect(address, max_msg_size=0)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise BackendUnavailable(f"WebSocket {address}: {type(error).__name__}: {error}") from error
    connection = Connection(socket)
    await connection.send(
        {
            "type": "Connect",
            "sessionId": str(uuid.uuid4()),
            "connectionCount": 0,
            "lastCloseReason": "InitialConnect",
            "clientTs": 0,
        }
    )
    return connection


class Connection:
    """One sync session with at most one query."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, message: Mapping[str, Any]) -> None:
        """One frame to the deployment."""
        try:
            await self._socket.send_str(json.dumps(message))
        except (aiohttp.ClientError, ConnectionError) as error:
            raise BackendUnavailable(f"WebSocket: {type(error).__name__}: {error}") from error

    async def receive(self) -> dict[str, Any]:
        """The next frame that is no ping. Raises BackendUnavailable when the deployment hangs up."""
        while True:
            frame = await self._socket.receive()
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise BackendUnavailable(f"WebSocket: closed by the deployment ({frame.type.name}, {frame.data!r})")
            message = json.loads(frame.data)
            if message.get("type") != "Ping":
                return dict(message)

    async def authenticate(self, admin_key: str, user: Mapping[str, str] | None) -> None:
        """Speak as the admin or, with identity attributes, in the name of a user."""
        message: dict[str, Any] = {"type": "Authenticate", "tokenType": "Admin", "value": admin_key, "baseVersion": 0}
        if user is not None:
            message["impersonating"] = dict(user)
        await self.send(message)

    async def add(self, path: str, args: Any) -> Subscription:
        """Subscribe to a query, arguments already encoded."""
        add = {"type": "Add", "queryId": _QUERY_ID, "udfPath": path, "args": [args]}
        await self.send({"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1, "modifications": [add]})
        return Subscription(self, path)

    async def close(self) -> None:
        """Hang up."""
        await self._socket.close()


class Subscription:
    """Values of a live query in the order in which the deployment sends them."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        self._pending: deque[Mapping[str, Any]] = deque()
        self.value: Value = None
        """The newest value taken by next() or until()."""

    async def next(self, timeout_seconds: float = 5.0) -> Value:
        """The next value, the first being the present one. Raises AssertionError when none comes, CallFailed when
        the query fails."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._next()
        except TimeoutError:
            raise AssertionError(
                f"live query {self._path}: no new value within {timeout_seconds:g} s; last was {self.value!r}"
            ) from None

    async def until(self, predicate: Callable[[Value], object], timeout_seconds: float = 5.0) -> Value:
        """The first value from now on for which the predicate holds. Raises as next()."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not predicate(await self._next()):
                    pass
        except TimeoutError:
            raise AssertionError(
                f"live query {self._path}: not the expected value within {timeout_seconds:g} s; last was {self.value!r}"
            ) from None
        return self.value

    async def _next(self) -> Value:
        while not self._pending:
            self._take(await self._connection.receive())
        change = self._pending.popleft()
        if change["type"] == "QueryFailed":
            data = decode(change["errorData"]) if "errorData" in change else None
            raise CallFailed(self._path, str(change.get("errorMessage", "")), data, tuple(change.get("logLines") or ()))
        self.value = decode(change.get("value"))
        return self.value

    def _take(self, message: Mapping[str, Any]) -> None:
        if message["type"] in ("FatalError", "AuthError"):
            raise CallFailed(self._path, f"{message['type']}: {message.get('error')}")
        if message["type"] == "Transition":
            changes = message["modifications"]
            self._pending.extend(change for change in changes if change["type"] in ("QueryUpdated", "QueryFailed"))
