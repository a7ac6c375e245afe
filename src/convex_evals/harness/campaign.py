"""Arms (model × condition) → Inspect tasks → stored trials. The Inspect side of a run, kept thin.

Inspect schedules, limits connections and writes its own logs; verdicts, retries, replies and resuming are ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inspect_ai import Task, eval_async
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score as InspectScore
from inspect_ai.scorer import Scorer, Target, accuracy, scorer
from inspect_ai.solver import Generate, TaskState, solver
from inspect_ai.solver import Solver as InspectSolver
from inspect_ai.util._display import init_display_type

from convex_evals.errors import TrialFailed
from convex_evals.harness.provider import Provider, Settings
from convex_evals.harness.trials import Grade, KeptReplies, Patience, Trials, Watch
from convex_evals.results import INSPECT_FOLDER, RunFolder
from convex_evals.solvers import solver_named
from convex_evals.types import Eval, Guidelines, Score, Submission


@dataclass(frozen=True)
class Arm:
    """One run to be done: a model under one condition, in its folder."""

    folder: RunFolder
    provider: Provider
    settings: Settings
    evals: tuple[Eval, ...]
    guidelines: Guidelines | None


@dataclass
class _Desk:
    """What solver and scorer of one task share."""

    trials: Trials
    evals: Mapping[str, Eval]
    submissions: dict[tuple[str, int], Submission] = field(default_factory=dict)
    """Between solving and grading, in memory only: files have no place in Inspect's scores."""


async def run_arms(
    arms: Sequence[Arm], grade: Grade, watch: Watch, *, graders: int = 4, patience: Patience | None = None
) -> None:
    """Finish every arm: what has a verdict is kept, what has a reply is graded, the rest is asked.

    Errors of trials are in the results, not raised. `graders` is how many submissions are graded at once.
    """
    init_display_type("none")
    logs = arms[0].folder.path / INSPECT_FOLDER
    gate = asyncio.Semaphore(graders)
    try:
        await eval_async(
            [_task(arm, grade, watch, patience or Patience(), gate) for arm in arms],
            log_dir=str(logs),
            log_level="error",
            log_realtime=False,
            score_display=False,
            fail_on_error=False,
            max_tasks=len(arms),
            max_samples=max(arm.settings.connections for arm in arms) + graders,
        )
    finally:
        _sort_logs(logs, arms)


def _sort_logs(logs: Path, arms: Sequence[Arm]) -> None:
    """One call of Inspect writes into one folder; each log belongs to its own run."""
    for arm in arms[1:]:
        folder = arm.folder.path / INSPECT_FOLDER
        folder.mkdir(exist_ok=True)
        for path in logs.glob(f"*_{arm.folder.run.id.replace('_', '-')}_*.eval"):
            path.replace(folder / path.name)


def _task(arm: Arm, grade: Grade, watch: Watch, patience: Patience, gate: asyncio.Semaphore) -> Task:
    run = arm.folder.run
    asked = solver_named(run.solver)(KeptReplies(arm.provider, arm.folder), arm.guidelines)
    desk = _Desk(Trials(arm.folder, asked, grade, watch, patience, gate), {ev.id: ev for ev in arm.evals})
    samples = [Sample(id=ev.id, input=ev.task, metadata={"category": ev.category}) for ev in arm.evals]
    return Task(
        name=run.id,
        epochs=run.epochs,
        dataset=MemoryDataset(samples, name=run.suite),
        solver=_solve(desk),
        scorer=_score(desk),
        model=arm.provider.inspect_model,
        metadata={"run": run.id, "condition": run.condition, "guidelines_hash": run.guidelines_hash},
    )


@solver(name="convex_evals_solver")
def _solve(desk: _Desk) -> InspectSolver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        ev = desk.evals[str(state.sample_id)]
        submission = await desk.trials.solve(ev, state.epoch)
        desk.submissions[ev.id, state.epoch] = submission
        text = submission.reply.text if submission.reply is not None else ""
        state.output = ModelOutput.from_content(str(state.model), text)
        return state

    return solve


@scorer(name="convex_evals", metrics=[accuracy()])
def _score(desk: _Desk) -> Scorer:
    async def score(state: TaskState, target: Target) -> InspectScore:
        ev = desk.evals[str(state.sample_id)]
        trial = await desk.trials.grade(ev, state.epoch, desk.submissions.pop((ev.id, state.epoch)))
        if trial.score is None:
            raise TrialFailed("a graded trial has a score")
        return as_inspect_score(trial.score)

    return score


def as_inspect_score(score: Score) -> InspectScore:
    """The verdict in Inspect's terms: 1 or 0, the fraction, and which check failed first; never the files."""
    failure = score.first_failure
    return InspectScore(
        value=1 if score.passed else 0,
        explanation=f"{failure.name}: {failure.detail[:2_000]}" if failure is not None else "passed",
        metadata={"fraction": score.fraction, "checks": {check.name: check.status for check in score.checks}},
    )
