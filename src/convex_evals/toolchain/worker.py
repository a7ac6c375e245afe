"""The Python end of a long-lived Node process that answers JSON lines.

The process is started on first use and again after it died; a request that it took down with it raises ToolFailed.
This module knows the framing, not the operations.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convex_evals.errors import ToolFailed

_LINE_BYTES = 512 * 1024 * 1024
_STDERR_BYTES = 4000
_CLOSE_SECONDS = 5.0


class Worker:
    """One process, many requests at a time."""

    def __init__(self, *command: str | Path) -> None:
        self._command = [str(part) for part in command]
        self._process: Process | None = None
        self._readers: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The running process, if any."""
        return self._process.pid if self._process is not None else None

    async def request(self, op: str, payload: Mapping[str, Any], *, seconds: float) -> Any:
        """The result of one operation. Raises ToolFailed when the process fails, dies or takes too long."""
        process = await self._started()
        assert process.stdin is not None
        number = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            process.stdin.write(json.dumps({"id": number, "op": op, **payload}).encode() + b"\n")
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError as error:
            _kill(process)  # it may be stuck for good, and holds the requests of others
            if self._readers is not None:
                await asyncio.wait([self._readers])  # so that the next request finds it gone
            raise ToolFailed(f"the bundler did not answer `{op}` in {seconds:.0f} seconds and was stopped") from error
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """End the process; requests under way fail."""
        process, readers = self._process, self._readers
        if process is None or readers is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.shield(readers)
        except TimeoutError:
            _kill(process)
            await readers

    async def _started(self) -> Process:
        async with self._starting:
            if self._process is None:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=_LINE_BYTES, start_new_session=True
                )
                self._readers = asyncio.create_task(self._read(self._process))
            return self._process

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.create_task(_tail(process.stderr))
        said = ""
        try:
            while line := await process.stdout.readline():
                self._settle(json.loads(line))
            await process.wait()
            said = await errors
        finally:
            _kill(process)  # only if it still runs: it wrote what is no answer
            if self._process is process:
                self._process = self._readers = None
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(
                        ToolFailed(f"the bundler ended with status {process.returncode}: {said.strip()}")
                    )

    def _settle(self, message: Mapping[str, Any]) -> None:
        future = self._waiting.get(message["id"])
        if future is None or future.done():
            return
        if "failure" in message:
            future.set_exception(ToolFailed(f"the bundler failed: {message['failure']}"))
        else:
            future.set_result(message["result"])


async def _tail(stream: asyncio.StreamReader) -> str:
    kept = b""
    while block := await stream.read(65536):
        kept = (kept + block)[-_STDERR_BYTES:]
    return kept.decode("utf-8", "replace")


def _kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()
