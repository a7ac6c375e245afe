"""The life of a trial: solve, store the reply, grade, store the verdict; and who tries again how often.

The one place where an exception becomes data. Knows no Inspect and prints nothing: what happens is told to a `Watch`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Generic, Literal, TypeVar

from convex_evals.errors import EvalsError, TrialFailed, cause_of
from convex_evals.prompt import prompt_hash
from convex_evals.results import ReplyKey, RunFolder, settings_hash
from convex_evals.types import Eval, Message, Model, Reply, Score, Solver, Submission, Trial, TrialError

T = TypeVar("T")
Grade = Callable[[Eval, Submission], Awaitable[Score]]
EventKind = Literal["asking", "replied", "grading", "retrying", "done", "kept"]


@dataclass(frozen=True)
class Event:
    """Something that happened to a trial."""

    kind: EventKind
    run_id: str
    eval_id: str
    epoch: int
    reply: Reply | None = None
    """For "replied"."""
    trial: Trial | None = None
    """For "done" and "kept"; kept: it was there from before."""
    message: str = ""
    """For "retrying"."""


Watch = Callable[[Event], None]


@dataclass(frozen=True)
class Patience:
    """How long is waited between tries: doubling from the first, at most the longest, unless the provider says."""

    first_seconds: float = 1.0
    longest_seconds: float = 60.0

    def wait_seconds(self, attempt: int, error: Exception) -> float:
        """The wait after a failed attempt, counted from 1."""
        told = getattr(error, "retry_after_seconds", None)
        if told is not None:
            return min(float(told), 10 * self.longest_seconds)
        doubled: float = min(self.longest_seconds, self.first_seconds * 2 ** (attempt - 1))
        return doubled * (0.75 + random.random() / 2)


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of trying: a value or an error."""

    value: T | None
    error: TrialError | None
    attempts: int


class KeptReplies:
    """A model whose replies are on disk before anybody sees them, and that is not asked again for one that is there."""

    def __init__(self, model: Model, folder: RunFolder) -> None:
        self.name = model.name
        self._model = model
        self._folder = folder
        self._settings = settings_hash(folder.run.settings)

    async def generate(self, ev: Eval, messages: Sequence[Message], epoch: int) -> Reply:
        """The stored reply to exactly this question, else a new one."""
        key = ReplyKey(self.name, self._settings, prompt_hash(messages), ev.id, epoch)
        kept = self._folder.reply(key)
        if kept is not None:
            return kept
        return self._folder.add_reply(key, await self._model.generate(ev, messages, epoch))


class Trials:
    """All trials of one run."""

    def __init__(
        self, folder: RunFolder, solver: Solver, grade: Grade, watch: Watch, patience: Patience, gate: asyncio.Semaphore
    ) -> None:
        self.folder = folder
        self._solver = solver
        self._grade = grade
        self._watch = watch
        self._patience = patience
        self._gate = gate
        """How many submissions are graded at once, over all runs of a command."""

    async def solve(self, ev: Eval, epoch: int) -> Submission:
        """The submission, made now or kept. Raises TrialFailed, with the error already stored as a trial."""
        kept = self._kept(ev, epoch)
        if kept is not None and kept.submission is not None:
            return kept.submission
        self._tell("asking", ev, epoch)
        outcome = await self._try(ev, epoch, lambda: self._solver(ev, epoch))
        if outcome.value is None:
            blank = Trial(ev.id, ev.hash, ev.category, epoch, submission=None, score=None, error=outcome.error)
            self._store(ev, epoch, dataclasses.replace(blank, attempts=outcome.attempts))
            raise TrialFailed(outcome.error.message if outcome.error else "")
        self._tell("replied", ev, epoch, reply=outcome.value.reply)
        return outcome.value

    async def grade(self, ev: Eval, epoch: int, submission: Submission) -> Trial:
        """The trial with its verdict, stored. Raises TrialFailed, with the error already stored as a trial."""
        kept = self._kept(ev, epoch)
        if kept is not None:
            self._tell("kept", ev, epoch, trial=kept)
            return kept
        return await self.grade_again(ev, epoch, submission)

    async def grade_again(self, ev: Eval, epoch: int, submission: Submission) -> Trial:
        """Like grade, whatever verdict is there."""
        async with self._gate:
            started = perf_counter()
            self._tell("grading", ev, epoch)
            outcome = await self._try(ev, epoch, lambda: self._grade(ev, submission))
        trial = Trial(
            *(ev.id, ev.hash, ev.category, epoch, submission, outcome.value, outcome.error),
            attempts=outcome.attempts,
            seconds=perf_counter() - started,
        )
        trial = self._store(ev, epoch, trial)
        if trial.error is not None:
            raise TrialFailed(trial.error.message)
        return trial

    def _kept(self, ev: Eval, epoch: int) -> Trial | None:
        trial = self.folder.trial(ev.id, epoch)
        return trial if trial is not None and trial.score is not None else None

    def _store(self, ev: Eval, epoch: int, trial: Trial) -> Trial:
        dated = dataclasses.replace(trial, started=datetime.now(UTC).isoformat(timespec="seconds"))
        self.folder.add_trial(dated)
        self._tell("done", ev, epoch, trial=dated)
        return dated

    def _tell(self, kind: EventKind, ev: Eval, epoch: int, **more: Any) -> None:
        self._watch(Event(kind, self.folder.run.id, ev.id, epoch, **more))

    async def _try(self, ev: Eval, epoch: int, work: Callable[[], Awaitable[T]]) -> Outcome[T]:
        attempt = 0
        while True:
            attempt += 1
            try:
                return Outcome(await work(), None, attempt)
            except Exception as error:  # noqa: BLE001 - the boundary where a trial's exception becomes data
                cause = cause_of(error)
                message = str(error) if isinstance(error, EvalsError) else f"{type(error).__name__}: {error}"
                if attempt >= cause.attempts:
                    return Outcome(None, TrialError(cause.name, message), attempt)
                wait = self._patience.wait_seconds(attempt, error)
                self._tell("retrying", ev, epoch, message=f"{cause.name}, again in {wait:.0f} s: {message}")
            await asyncio.sleep(wait)
