"""The Python end of a long-lived Node process that answers JSON lines.

The process is started on first use and again after it died; a request that it took down with it raises ToolFailed.
This module knows the framing, not the operations.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from convex_evals.errors import ToolFailed

_LINE_BYTES = 512 * 1024 * 1024
_STDERR_BYTES = 4000
_CLOSE_SECONDS = 5.0
_BUSY_SHARE = 0.25
"""Of the time that a request was given: a process that used less CPU was starved, it did not hang."""


class WorkerDied(ToolFailed):
    """The process crashed or hung, over this request or over another that it worked on at the same time."""


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

    def twin(self) -> Worker:
        """A process of its own for the same operations."""
        return Worker(*self._command)

    async def request(self, op: str, payload: Mapping[str, Any], *, seconds: float) -> Any:
        """The result of one operation. Raises WorkerDied when the process dies or hangs, ToolFailed when it fails."""
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
            hung = _cpu_seconds(process) > _BUSY_SHARE * seconds
            _kill(process)  # it may be stuck for good, and holds the requests of others
            if self._readers is not None:
                await asyncio.wait([self._readers])  # so that the next request finds it gone
            text = f"the bundler did not answer `{op}` in {seconds:.0f} seconds and was stopped"
            raise (WorkerDied if hung else ToolFailed)(text) from error
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
                        WorkerDied(f"the bundler ended with status {process.returncode}: {said.strip()}")
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


def _cpu_seconds(process: Process) -> float:
    """Of the process and its children (esbuild is one)."""
    try:
        parent = psutil.Process(process.pid)
        times = [each.cpu_times() for each in (parent, *parent.children(recursive=True))]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(each.user + each.system for each in times)


def _kill(process: Process) -> None:
    """With its children: esbuild that spins does not see that nobody listens any more."""
    if process.returncode is not None:
        return
    if os.name != "posix":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
