"""The network of one page: a loopback proxy that admits a trial's own ports and refuses everything else.

Chromium is told to send all traffic of a page here, loopback included. Plain requests come in absolute form, WebSockets
as CONNECT. Refusals are answered with 403, so that a page that calls out fails fast instead of hanging.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
HEAD_BYTES = 256 * 1024
HEAD_SECONDS = 30.0
_BLOCK = 64 * 1024


@dataclass
class Gate:
    """A running gate."""

    ports: frozenset[int]
    """Loopback ports that may be reached."""
    port: int = 0
    refused: list[str] = field(default_factory=list)
    """"host:port" of everything else that the page asked for."""
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    def admits(self, host: str, port: int) -> bool:
        """Whether the page may talk to this address."""
        return host.lower() in LOOPBACK_NAMES and port in self.ports


@asynccontextmanager
async def gate(ports: Collection[int]) -> AsyncIterator[Gate]:
    """Serve a gate on a free port of 127.0.0.1 while the block runs."""
    this = Gate(frozenset(ports))

    writers: set[asyncio.StreamWriter] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        task = asyncio.create_task(_serve(this, reader, writer))
        this._open.add(task)
        task.add_done_callback(this._open.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=HEAD_BYTES)
    this.port = server.sockets[0].getsockname()[1]
    try:
        yield this
    finally:
        server.close()
        await _turns()
        for task in list(this._open):
            task.cancel()
        await asyncio.gather(*this._open, return_exceptions=True)
        for writer in writers:  # a task that is cancelled before it starts closes nothing
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
        await server.wait_closed()


async def _turns() -> None:
    """What was accepted before the server closed is handed over in the next turns of the loop."""
    for _ in range(4):
        await asyncio.sleep(0)


async def _serve(this: Gate, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection of the browser: one tunnel or one request."""
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        method, target, version = line.decode("latin-1").split(" ", 2)
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = parts.hostname or "", parts.port or 80
        if not this.admits(host, port):
            this.refused.append(f"{host}:{port}")
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            far_writer.write(f"{method} {path} {version}\r\n".encode("latin-1") + _single(rest))
        await _join(reader, writer, far_reader, far_writer)
    except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return  # the browser hung up, sent no HTTP, or the deployment is gone: nothing to answer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _single(headers: bytes) -> bytes:
    """Request headers for one request a connection: the next one may go to another port and must be judged again."""
    kept = [
        line
        for line in headers.split(b"\r\n")
        if line and not line.lower().startswith((b"connection:", b"proxy-connection:", b"proxy-authorization:"))
    ]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""])


async def _join(
    near_reader: asyncio.StreamReader,
    near_writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    """Copy in both directions until the far side has ended."""
    up = asyncio.create_task(_copy(near_reader, far_writer))
    try:
        await _copy(far_reader, near_writer)
    finally:
        up.cancel()
        await asyncio.gather(up, return_exceptions=True)
        far_writer.close()
        with suppress(OSError):
            await far_writer.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(_BLOCK):
        writer.write(block)
        await writer.drain()
