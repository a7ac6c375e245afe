"""Fires cron jobs. A push changes the set of jobs; one that stays the same keeps its beat. Runs carry no identity.

A job that is still running when it is due again is skipped, as on an official deployment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from convex_embedded.functions.crons import Schedule, parse_schedule
from convex_embedded.functions.engine import Engine
from convex_embedded.functions.nouns import CallRefused, Failure
from convex_embedded.functions.push import cron_address
from convex_embedded.functions.scheduler import Spawn, system_frame, wait_until
from convex_embedded.sandbox import CronSpec


@dataclass(frozen=True)
class CronRun:
    """One time that a job ran."""

    ts_ms: float
    seconds: float
    log_lines: tuple[str, ...]
    failure: Failure | None


@dataclass
class CronJob:
    """One job of a component and how it goes on."""

    component: str
    spec: CronSpec
    schedule: Schedule
    next_ms: float
    running: bool = False
    last: CronRun | None = field(default=None)

    @property
    def args(self) -> Any:
        """The arguments object."""
        given = self.spec.args
        return given[0] if isinstance(given, list) and given else given or {}


class CronRunner:
    """All jobs of a deployment."""

    def __init__(self, engine: Engine, spawn: Spawn) -> None:
        self._engine = engine
        self._spawn = spawn
        self._jobs: dict[tuple[str, str], CronJob] = {}
        self._wake = asyncio.Event()
        engine.clock.on_advance(self._wake.set)

    @property
    def jobs(self) -> Iterator[CronJob]:
        """In the order of crons.ts."""
        return iter(self._jobs.values())

    def replace(self) -> None:
        """Take the jobs of the registry, after a push."""
        now_ms = self._engine.clock.now_ms()
        previous, self._jobs = self._jobs, {}
        for component, spec in self._engine.registry.crons:
            kept = previous.get((component, spec.name))
            if kept is None or kept.spec != spec:
                schedule = parse_schedule(spec.schedule, spec.name)
                kept = CronJob(component, spec, schedule, schedule.next_ms(None, now_ms))
            self._jobs[component, spec.name] = kept
        self._wake.set()

    async def run(self) -> None:
        """Start jobs when they are due, until cancelled."""
        while True:
            await wait_until(self._engine, self._wake, min((job.next_ms for job in self.jobs), default=None))
            now_ms = self._engine.clock.now_ms()
            for job in self.jobs:
                if job.next_ms <= now_ms:
                    due_ms, job.next_ms = job.next_ms, job.schedule.next_ms(job.next_ms, now_ms)
                    if not job.running:
                        job.running = True
                        self._spawn(self._fire(job, due_ms))

    async def _fire(self, job: CronJob, due_ms: float) -> None:
        engine = self._engine
        started_ms = engine.clock.now_ns() / 1e6
        try:
            target = engine.registry.resolve(job.component, cron_address(job.spec))
            frame = system_frame(target, job.args)
            if target.spec.kind == "mutation":
                execution, _ = await engine.run_mutation(frame)
            else:
                execution = await engine.run_action(frame)
            failure, log_lines = execution.failure, execution.log_lines
        except CallRefused as error:
            failure, log_lines = Failure(str(error)), ()
        finally:
            job.running = False
        seconds = (engine.clock.now_ns() / 1e6 - started_ms) / 1000.0
        job.last = CronRun(due_ms, seconds, log_lines, failure)
