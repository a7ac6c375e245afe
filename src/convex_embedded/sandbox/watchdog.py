"""Watches one process while it runs generated code: CPU seconds, wall seconds, memory, promises that never settle.

CPU is sampled from outside and booked on the call whose code was running at the sample; the runtime announces which
when there is more than one. A lie about that can only shift blame between calls of the same generated code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from convex_embedded.sandbox import wire
from convex_embedded.sandbox.calls import RunningCall
from convex_embedded.sandbox.vitals import Vitals, look
from convex_embedded.types import CallError, Limits

TICK_SECONDS = 0.05
IDLE_TICK_SECONDS = 1.0
STILL_PONGS = 20
"""A second of an event loop that turns, uses no CPU and has nothing to wait for: the promise will never settle."""
BASE_MEMORY_MIB = 192
"""Deno itself, with an empty heap, is about 60; the heap's limit comes on top."""
IDLE_CPU_SECONDS = 0.5
STRAY_CPU_SECONDS = 1.0
QUIET_CPU_SECONDS = 0.02
"""What collecting garbage may take in an idle second."""
THREADS_FACTOR = 4
"""A call may use this many times its limit on all threads together: honest compiling and collecting stays far below."""
ACTION_CPU_SECONDS = 60.0
IMPORT_CPU_SECONDS = 2.0


class Watched(Protocol):
    """The session, as the watchdog sees it."""

    def in_flight(self) -> Iterable[RunningCall]: ...
    def running(self) -> RunningCall | None: ...
    def importing(self) -> str | None: ...
    def write(self, line: bytes) -> bool: ...
    def abandon(self, call: RunningCall, error: CallError) -> None: ...
    def destroy(self, culprit: RunningCall | None, error: CallError) -> None: ...


class Watchdog:
    """Ticks often while calls are in flight, and once a second otherwise."""

    def __init__(self, pid: int, limits: Limits, session: Watched) -> None:
        self._pid = pid
        self._limits = limits
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._last = look(pid) or Vitals(0, 0, 0)
        self._stray_seconds = 0.0
        self._import_seconds = 0.0
        self._pings = 0
        self._ping_out = False
        self._still = False
        self._busy = False
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(IDLE_TICK_SECONDS, self._tick)

    def wake(self) -> None:
        """A call begins."""
        if not self._busy and self._timer is not None:
            self._timer.cancel()
            self._busy = True
            self._timer = self._loop.call_later(TICK_SECONDS, self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def progress(self) -> None:
        """The next module is being imported."""
        self._import_seconds = 0.0

    def pong(self, number: int, idle: Iterable[int]) -> None:
        """The event loop turns; `idle` are the calls that nothing in the process can wake."""
        if number != self._pings:
            return
        self._ping_out = False
        stuck = set(idle)
        for call in tuple(self._session.in_flight()):
            call.still_pongs = call.still_pongs + 1 if call.number in stuck and self._still and not call.waits else 0
            if call.still_pongs >= STILL_PONGS:
                text = f"{timed_out(call, self._limits)}. It awaits a promise that never resolves."
                self._session.abandon(call, CallError(text, kind="timeout"))

    def _tick(self) -> None:
        calls = tuple(self._session.in_flight())
        self._busy = bool(calls) or self._session.importing() is not None
        self._timer = self._loop.call_later(TICK_SECONDS if self._busy else IDLE_TICK_SECONDS, self._tick)
        now = look(self._pid)
        if now is None:
            return
        main, every = now.main_seconds - self._last.main_seconds, now.all_seconds - self._last.all_seconds
        self._last = now
        self._still = every <= 0.0
        running = self._session.running()
        self._check_memory(now, running)
        if self._session.importing() is not None:
            self._book_import(main)
        elif running is not None:
            self._stray_seconds = 0.0
            self._book(running, main, every)
        else:
            self._book_stray(every, calls)
        for call in calls:
            self._check_wall(call, blocks=call is running and self._ping_out)
        if calls and not self._ping_out:
            self._pings += 1
            self._ping_out = True
            self._session.write(wire.ping_line(self._pings))

    def _check_memory(self, now: Vitals, running: RunningCall | None) -> None:
        if now.memory_mib > self._limits.memory_mib + BASE_MEMORY_MIB:
            self._session.destroy(running, out_of_memory(self._limits))

    def _book(self, call: RunningCall, main: float, every: float) -> None:
        call.cpu_seconds += main
        call.all_cpu_seconds += every
        limit = cpu_limit_seconds(call, self._limits)
        if call.cpu_seconds > limit or call.all_cpu_seconds > limit * THREADS_FACTOR:
            self._session.destroy(call, CallError(timed_out(call, self._limits), kind="timeout"))

    def _book_import(self, main: float) -> None:
        self._import_seconds += main
        if self._import_seconds > IMPORT_CPU_SECONDS:
            error = f"Function execution timed out (maximum duration: {IMPORT_CPU_SECONDS:g}s)"
            self._session.destroy(None, CallError(error, kind="timeout"))

    def _book_stray(self, every: float, calls: tuple[RunningCall, ...]) -> None:
        """CPU that no call in flight accounts for: code that outlived its call."""
        # Summed, since on a busy machine a tick may give a spinning process little; a quiet tick ends the sum.
        self._stray_seconds = self._stray_seconds + every if every > QUIET_CPU_SECONDS else 0.0
        if self._stray_seconds > (STRAY_CPU_SECONDS if calls else IDLE_CPU_SECONDS):
            self._session.destroy(None, CallError("Code kept running after its function had ended", kind="crash"))

    def _check_wall(self, call: RunningCall, *, blocks: bool) -> None:
        """`blocks`: the process has not answered since the last tick, and it is this call's code that runs."""
        if call.concurrent and self._loop.time() - call.started_seconds > self._limits.action_wall_seconds:
            error = CallError(timed_out(call, self._limits), kind="timeout")
            if blocks:
                self._session.destroy(call, error)
            else:
                self._session.abandon(call, error)


def cpu_limit_seconds(call: RunningCall, limits: Limits) -> float:
    if call.about.kind == "query":
        return limits.query_seconds
    if call.about.kind == "mutation":
        return limits.mutation_seconds
    return min(ACTION_CPU_SECONDS, limits.action_wall_seconds)


def timed_out(call: RunningCall, limits: Limits) -> str:
    seconds = limits.action_wall_seconds if call.concurrent else cpu_limit_seconds(call, limits)
    return f"Function execution timed out (maximum duration: {seconds:g}s)"


def out_of_memory(limits: Limits) -> CallError:
    text = f"JavaScript execution ran out of memory (maximum memory usage: {limits.memory_mib} MB)"
    return CallError(text, kind="memory")
