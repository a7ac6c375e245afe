"""The sending half of a sync session: a capped queue in front of a WebSocket, and pings when idle.

`send` never waits, so that whoever computes a transition can number and enqueue it in one step; producers of bulk wait
for `room()` first. A client that does not read is hung up on. Knows no message.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import msgspec
from aiohttp import web

PING_SECONDS = 15.0
"""Clients give up after 60 s of silence, graders poll for up to 90 s."""
BUSY_BYTES = 4 * 1024 * 1024
"""With more than this unsent, bulk producers wait."""
MAX_BYTES = 128 * 1024 * 1024
"""With more than this unsent, the client is hung up on."""
SEND_SECONDS = 60.0
"""A client that takes no frame for this long is hung up on."""


class Outbox:
    """Frames on their way to one client, in order."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._over = asyncio.Event()
        self.stuck = False
        """The client did not read; it gets no farewell."""

    @property
    def closed(self) -> bool:
        return self._over.is_set()

    async def over(self) -> None:
        """Return once closed."""
        await self._over.wait()

    def send(self, message: Any) -> None:
        """Enqueue; dropped when the client is gone or hopelessly behind."""
        if self.closed:
            return
        frame = msgspec.json.encode(message)
        self._frames.append(frame)
        self._bytes += len(frame)
        self._filled.set()
        if self._bytes > MAX_BYTES:
            self.stuck = True
            self.close()
        elif self._bytes > BUSY_BYTES:
            self._room.clear()

    async def room(self) -> None:
        """Return once the client has caught up."""
        await self._room.wait()

    def close(self) -> None:
        """Send nothing more; whoever waits goes on."""
        self._over.set()
        self._frames.clear()
        self._bytes = 0
        self._filled.set()
        self._room.set()

    async def run(self) -> None:
        """Send until closed."""
        while not self.closed:
            try:
                await asyncio.wait_for(self._filled.wait(), PING_SECONDS)
            except TimeoutError:
                self.send({"type": "Ping"})
            self._filled.clear()
            while self._frames and not self.closed:
                frame = self._frames.popleft()
                if not await self._write(frame):
                    self.close()
                    return
                self._bytes = max(0, self._bytes - len(frame))
                if self._bytes <= BUSY_BYTES:
                    self._room.set()

    async def _write(self, frame: bytes) -> bool:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._socket.send_frame(frame, web.WSMsgType.TEXT)
        except (ConnectionError, TimeoutError):
            self.stuck = True
            return False
        return True
