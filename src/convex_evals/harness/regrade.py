"""Grading what is stored once more: no model is asked. Knows no Inspect."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from convex_evals.errors import TrialFailed, UsageError
from convex_evals.harness.trials import Grade, Patience, Trials, Watch
from convex_evals.results import RunFolder, RunRecord
from convex_evals.types import Eval, Submission


async def regrade(
    record: RunRecord, folder: RunFolder, evals: Sequence[Eval], grade: Grade, watch: Watch, *, graders: int = 4
) -> int:
    """Grade every stored submission of `record` again, the verdicts into `folder`; returns how many there were.

    `evals` are the suite's, as it is now. Trials without a submission have nothing to grade. Raises UsageError when
    the suite no longer has an eval of the run.
    """
    known = {ev.id: ev for ev in evals}
    stored = [trial for trial in record.trials if trial.submission is not None]
    gone = sorted({trial.eval_id for trial in stored} - known.keys())
    if gone:
        raise UsageError(f"{record.run.id}: the suite has no eval {gone[0]!r} any more")
    trials = Trials(folder, _nobody, grade, watch, Patience(), asyncio.Semaphore(graders))

    async def one(eval_id: str, epoch: int, submission: Submission) -> None:
        try:
            await trials.grade_again(known[eval_id], epoch, submission)
        except TrialFailed:
            return  # stored as an error, and told

    await asyncio.gather(*(one(t.eval_id, t.epoch, t.submission) for t in stored if t.submission is not None))
    return len(stored)


async def _nobody(ev: Eval, epoch: int) -> Submission:
    raise AssertionError("grading again asks no model")
