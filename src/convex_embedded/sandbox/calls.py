"""One call in flight, seen from the trusted side: its syscalls are answered here, one at a time or concurrently.

A line of the pipe may lie about anything but the call's own affairs: what it asks for, it asks of its own host.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from convex_embedded.sandbox import wire
from convex_embedded.sandbox.nouns import Invocation
from convex_embedded.sandbox.proxy import FetchFailed, Proxy
from convex_embedded.types import CallError, CallResult, SyscallError, SyscallHost

LARGEST_QUEUE = 100_000
"""Syscalls asked for and not answered. More is a flood, not a program: the documented limits are a third of it."""
FETCHES = 1000


class RunningCall:
    """What is known of a call between its line out and its result."""

    def __init__(
        self, number: int, call: Invocation, host: SyscallHost, proxy: Proxy, write: Callable[[bytes], bool]
    ) -> None:
        self.number = number
        self.about = call
        self.started_seconds = asyncio.get_running_loop().time()
        self.cpu_seconds = 0.0
        """Of the thread that runs JavaScript, as the watchdog samples it."""
        self.all_cpu_seconds = 0.0
        """Of all threads."""
        self.still_pongs = 0
        """How often in a row the runtime has said that nothing can wake this call."""
        self._host = host
        self._proxy = proxy
        self._write = write
        self._queue: deque[tuple[int, str, bytes]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._outcome: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()
        self._bell: asyncio.Event | None = None
        self._log_lines: tuple[str, ...] = ()
        self._fetched: list[str] = []
        self._pending = 0
        self._unheard = False

    @property
    def over(self) -> bool:
        return self._outcome.done()

    @property
    def waits(self) -> bool:
        """An answer is owed to it."""
        return self._pending > 0

    @property
    def concurrent(self) -> bool:
        return self.about.kind in ("action", "httpAction")

    def ask(self, syscall: int, op: str, payload: bytes) -> None:
        """A syscall line has come."""
        if self.over:
            return
        self.still_pongs = 0
        self._pending += 1
        self._queue.append((syscall, op, payload))
        if self._pending > LARGEST_QUEUE:
            self.fail(CallError("Too many operations were started without awaiting any of them", kind="limit"))
        elif self.concurrent:
            self._spawn(self._answer(*self._queue.popleft()))
        elif self._bell is None:
            self._bell = asyncio.Event()
            self._spawn(self._answer_in_order(self._bell))
        self._ring()

    def log(self, lines: tuple[str, ...]) -> None:
        self._log_lines = lines

    def succeed(self, payload: bytes) -> None:
        self._end(value=wire.decode(payload))

    def succeed_http(self, payload: bytes) -> None:
        self._end(http=wire.read_http(payload))

    def fail(self, error: CallError) -> None:
        self._end(error=error)

    def _end(self, **parts: Any) -> None:
        if self.over:
            return
        result = CallResult(
            log_lines=self._log_lines,
            fetched=tuple(self._fetched),
            cpu_seconds=self.cpu_seconds,
            **parts,
        )
        self._outcome.set_result(result)

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.set()

    async def run(self) -> CallResult:
        """Waits for the end. Raises what the host raised, if that was no SyscallError."""
        try:
            return await self._outcome
        finally:
            await self._stop_tasks()

    async def _answer_in_order(self, bell: asyncio.Event) -> None:
        while True:
            await bell.wait()
            bell.clear()
            while self._queue:
                await self._answer(*self._queue.popleft())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not self.over:
            self._outcome.set_exception(error)

    async def _stop_tasks(self) -> None:
        """What the call still asks for is not wanted any more."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _answer(self, syscall: int, op: str, payload: bytes) -> None:
        if self.over or self._unheard:
            return
        try:
            args = wire.decode(payload)
            answer = await (self._fetch(args) if op == "fetch" else self._host.syscall(op, args))
            line = wire.answer_line(self.number, syscall, answer)
        except SyscallError as refusal:
            line = wire.refusal_line(self.number, syscall, refusal)
        except wire.Garbled as error:
            line = wire.refusal_line(self.number, syscall, SyscallError(f"Malformed arguments of {op}: {error}"))
        finally:
            self._pending -= 1
        if not self.over:
            self._unheard = not self._write(line)

    async def _fetch(self, args: Any) -> Any:
        request = wire.read_fetch(args)
        if not self.concurrent:
            raise SyscallError("Can't use fetch() in queries and mutations.")
        if len(self._fetched) >= FETCHES:
            raise SyscallError(f"Too many requests in one function (maximum {FETCHES})")
        self._fetched.append(request.url)
        try:
            return wire.fetch_answer(await self._proxy.fetch(request))
        except FetchFailed as error:
            raise SyscallError(str(error)) from error
