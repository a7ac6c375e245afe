"""Runs scheduled functions when they are due: a heap of jobs and one task that waits, on the deployment's clock.

Waiting is in short steps, so a job years away needs no timer of its own. Runs carry no identity.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from convex_embedded.functions import jobs
from convex_embedded.functions.clock import Clock
from convex_embedded.functions.engine import Engine
from convex_embedded.functions.evidence import Trace
from convex_embedded.functions.frames import Execution, Frame
from convex_embedded.functions.jobs import Job
from convex_embedded.functions.nouns import Call, CallRefused, Failure, Identity
from convex_embedded.functions.paths import Address
from convex_embedded.functions.registry import Target
from convex_embedded.store import Transaction

MAX_WAIT_SECONDS = 3600.0
JOBS_AT_ONCE = 16

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


@dataclass(frozen=True)
class Claim:
    """Ties a job's document to the transaction of its mutation: not run when canceled, successful when committed."""

    job: Job
    clock: Clock

    def begin(self, tx: Transaction) -> bool:
        """Whether the job is still to be run."""
        return jobs.state_of(tx, self.job.table_component, self.job.id) == "pending"

    def end(self, tx: Transaction) -> None:
        """The mutation succeeded."""
        change = jobs.ended("success", self.clock.now_ms())
        with tx.as_system():
            tx.patch(self.job.table_component, self.job.id, change, table=jobs.TABLE)


class Scheduler:
    """The jobs of one deployment."""

    def __init__(self, engine: Engine, spawn: Spawn) -> None:
        self._engine = engine
        self._spawn = spawn
        self._heap: list[Job] = []
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(JOBS_AT_ONCE)
        engine.clock.on_advance(self._wake.set)

    def add(self, new: Sequence[Job]) -> None:
        """Jobs whose documents are committed."""
        for job in new:
            heapq.heappush(self._heap, job)
        if new:
            self._wake.set()

    async def run(self) -> None:
        """Start each job when it is due, until cancelled."""
        while True:
            await wait_until(self._engine, self._wake, self._heap[0].due_ms if self._heap else None)
            while self._heap and self._heap[0].due_ms <= self._engine.clock.now_ms():
                await self._slots.acquire()
                self._spawn(self._run_job(heapq.heappop(self._heap))).add_done_callback(lambda _: self._slots.release())

    async def _run_job(self, job: Job) -> None:
        try:
            target = self._engine.registry.resolve(job.table_component, Address(job.component, None, job.path))
        except CallRefused as error:
            self._finish(job, Execution(failure=Failure(str(error))), only_from="pending")
            return
        frame = system_frame(target, job.args, job.id)
        if target.spec.kind == "mutation":
            # Success is part of the job's own transaction, so it happens once or not at all.
            execution, _ = await self._engine.run_mutation(frame, Claim(job, self._engine.clock))
            if execution.failure is not None:
                self._finish(job, execution, only_from="pending")
        elif self._move(job, "pending", {"state": {"kind": "inProgress"}}):
            self._finish(job, await self._engine.run_action(frame), only_from="inProgress")

    def _finish(self, job: Job, execution: Execution, *, only_from: str) -> None:
        now_ms = self._engine.clock.now_ms()
        if execution.failure is None:
            self._move(job, only_from, jobs.ended("success", now_ms))
        else:
            self._move(job, only_from, jobs.ended("failed", now_ms, execution.failure.message))

    def _move(self, job: Job, expected: str, change: dict[str, Any]) -> bool:
        """From one state to the next; False when the job is not in `expected` (canceled, or its document deleted)."""
        with self._engine.store.begin(trusted=True) as tx:
            if jobs.state_of(tx, job.table_component, job.id) != expected:
                return False
            tx.patch(job.table_component, job.id, change, table=jobs.TABLE)
            self._engine.committed(tx.commit())
        return True


def system_frame(target: Target, args: Any, scheduled_id: str | None = None) -> Frame:
    """An execution that the deployment itself starts: no identity, internal functions allowed."""
    call = Call(target.path.identifier, args, component=target.component, internal=True, scheduled_id=scheduled_id)
    trace = Trace(target.path.identifier, target.component, target.spec.kind, call.request_id)
    return Frame(target, args, Identity(), call, trace, [])


async def wait_until(engine: Engine, wake: asyncio.Event, due_ms: float | None) -> None:
    """Return when the clock has reached `due_ms` or something woke us; the caller looks what it was."""
    seconds = MAX_WAIT_SECONDS
    if due_ms is not None:
        seconds = min(max(0.0, (due_ms - engine.clock.now_ms()) / 1000.0), MAX_WAIT_SECONDS)
    try:
        # Not wait_for: in Python 3.11 it swallows a cancellation that arrives together with the wake-up.
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return
    wake.clear()
