"""A stored run → its counts: the same figures for every report. Counts and rates only; intervals are statistics' work.

A rate is over what was planned, so that a trial without a verdict lowers it and is never dropped from sight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from convex_evals.results import RunRecord
from convex_evals.types import Reply, Trial


@dataclass(frozen=True)
class Counts:
    """Trials by outcome."""

    planned: int
    passed: int
    failed: int
    errors: int
    fraction: float | None
    """Mean fraction of behaviour tests passed over the scored trials; None when there are none."""

    @property
    def rate(self) -> float:
        """Passed of planned."""
        return self.passed / self.planned if self.planned else 0.0

    @property
    def left(self) -> int:
        """Planned and never tried."""
        return self.planned - self.passed - self.failed - self.errors


@dataclass(frozen=True)
class Summary:
    """One run in figures."""

    record: RunRecord
    total: Counts
    categories: dict[str, Counts]
    input_tokens: int | None
    """None when no reply said; the sum of those that did otherwise."""
    output_tokens: int | None
    cost_usd: float | None
    """None when any reply that was asked for has no known cost."""
    causes: dict[str, int]
    """Errors by cause."""

    @property
    def label(self) -> str:
        """Model and condition."""
        run = self.record.run
        return f"{run.model}, {'with' if run.condition == 'guidelines' else 'without'} guidelines"

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        run = self.record.run
        return {
            "id": run.id,
            "path": str(self.record.path),
            "model": run.model,
            "condition": run.condition,
            "started": run.started,
            "complete": self.record.complete,
            **_counts_json(self.total),
            "categories": {name: _counts_json(counts) for name, counts in self.categories.items()},
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
            "errors_by_cause": self.causes,
        }


def summarize(record: RunRecord) -> Summary:
    """The figures of a run as it is on disk."""
    categories = list(dict.fromkeys(eval_id.split("/")[0] for eval_id in record.run.evals))
    replies = [trial.submission.reply for trial in record.trials if trial.submission and trial.submission.reply]
    return Summary(
        record=record,
        total=_count(record.trials, record.planned),
        categories={name: _count_category(record, name) for name in categories},
        input_tokens=_sum(reply.usage.input_tokens for reply in replies if reply.usage),
        output_tokens=_sum(reply.usage.output_tokens for reply in replies if reply.usage),
        cost_usd=_cost(replies),
        causes=dict(Counter(trial.error.cause for trial in record.errors if trial.error)),
    )


def _count_category(record: RunRecord, category: str) -> Counts:
    planned = sum(eval_id.split("/")[0] == category for eval_id in record.run.evals) * record.run.epochs
    return _count([trial for trial in record.trials if trial.category == category], planned)


def _count(trials: Sequence[Trial], planned: int) -> Counts:
    outcomes = Counter(trial.outcome for trial in trials)
    fractions = [trial.score.fraction for trial in trials if trial.score is not None]
    return Counts(
        planned=planned,
        passed=outcomes["passed"],
        failed=outcomes["failed"],
        errors=outcomes["error"],
        fraction=sum(fractions) / len(fractions) if fractions else None,
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _cost(replies: Sequence[Reply]) -> float | None:
    costs = [reply.cost_usd for reply in replies]
    return sum(cost for cost in costs if cost is not None) if costs and None not in costs else None


def _counts_json(counts: Counts) -> dict[str, Any]:
    return {
        "planned": counts.planned,
        "passed": counts.passed,
        "failed": counts.failed,
        "errors": counts.errors,
        "pass_rate": counts.rate,
        "fraction": counts.fraction,
    }
