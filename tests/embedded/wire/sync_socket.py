"""A bare client of the sync protocol: sends what it is told and holds every transition against the ordering rule."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

START = {"querySet": 0, "identity": 0, "ts": base64.b64encode(bytes(8)).decode()}


def ts_of(text: str) -> int:
    return int.from_bytes(base64.b64decode(text), "little")


async def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    """Return once the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class SyncSocket:
    """One connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.version: dict[str, Any] = START
        self.queries: dict[int, Any] = {}
        self.pings = 0
        self._query_set = 0

    async def send(self, **message: Any) -> None:
        await self.socket.send_str(json.dumps(message))

    def stop_reading(self) -> None:
        """Leave what comes in the buffers of the machine."""
        connection = self.socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.pause_reading()

    async def connect(self, session_id: str | None = None, **more: Any) -> None:
        session_id = session_id or str(uuid.uuid4())
        await self.send(
            type="Connect", sessionId=session_id, connectionCount=0, lastCloseReason=None, clientTs=0, **more
        )

    async def modify(self, *modifications: dict[str, Any]) -> None:
        base, self._query_set = self._query_set, self._query_set + 1
        await self.send(
            type="ModifyQuerySet", baseVersion=base, newVersion=self._query_set, modifications=list(modifications)
        )

    async def add(self, query_id: int, path: str, args: Any = None, **more: Any) -> None:
        await self.modify({"type": "Add", "queryId": query_id, "udfPath": path, "args": [args or {}], **more})

    async def remove(self, query_id: int) -> None:
        await self.modify({"type": "Remove", "queryId": query_id})

    async def mutate(self, request_id: int, path: str, args: Any = None) -> None:
        await self.send(type="Mutation", requestId=request_id, udfPath=path, args=[args or {}])

    async def receive(self, seconds: float = 10) -> dict[str, Any]:
        """The next message; transitions are checked and applied."""
        while True:
            frame = await asyncio.wait_for(self.socket.receive(), seconds)
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionError(f"closed: {self.socket.close_code} {frame.extra}")
            message: dict[str, Any] = json.loads(frame.data)
            if message["type"] == "Ping":
                self.pings += 1
                continue
            if message["type"] == "Transition":
                self._apply(message)
            return message

    def _apply(self, transition: dict[str, Any]) -> None:
        assert transition["startVersion"] == self.version, f"{transition} does not start at {self.version}"
        end = transition["endVersion"]
        assert ts_of(end["ts"]) >= ts_of(self.version["ts"]), "time went backwards"
        assert end["querySet"] >= self.version["querySet"], "the query set went backwards"
        assert end["identity"] >= self.version["identity"], "the identity went backwards"
        self.version = end
        for change in transition["modifications"]:
            if change["type"] == "QueryRemoved":
                self.queries.pop(change["queryId"], None)
            else:
                self.queries[change["queryId"]] = change.get("value", change.get("errorMessage"))

    async def until(self, what: Any, seconds: float = 10) -> dict[str, Any]:
        """Receive until a message for which `what(message)` holds."""
        while True:
            message = await self.receive(seconds)
            if what(message):
                return message

    async def value(self, query_id: int, wanted: Any) -> None:
        """Receive until the query has the wanted value."""
        while self.queries.get(query_id, KeyError) != wanted:
            await self.receive()

    async def response(self, request_id: int) -> dict[str, Any]:
        """Receive until the answer to a mutation or action."""
        return await self.until(lambda m: m.get("requestId") == request_id)


@asynccontextmanager
async def sync_socket(url: str, *, connect: bool = True) -> AsyncIterator[SyncSocket]:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/api/1.48.0/sync", max_msg_size=0) as socket:
        client = SyncSocket(socket)
        if connect:
            await client.connect()
        yield client
