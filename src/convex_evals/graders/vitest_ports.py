"""Where the processes of an unchanged grader report the ports that they open (`vitest_preload.mjs`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

REPORT_SECONDS = 10.0


@asynccontextmanager
async def port_reports(admit: Callable[[int], None]) -> AsyncIterator[int]:
    """Take reports on a loopback port, which is given, while the block runs; `admit` is called before the answer."""
    open_tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REPORT_SECONDS):
                line = await reader.readline()
            if line.strip().isdigit() and 0 < int(line) < 65536:
                admit(int(line))
                writer.write(b"ok\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            return  # the process went away, or it is not one of ours
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        open_tasks.add(task)
        task.add_done_callback(open_tasks.discard)
        task.add_done_callback(lambda _: writer.close())

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(open_tasks):
            task.cancel()
        await asyncio.gather(*open_tasks, return_exceptions=True)
        await server.wait_closed()
