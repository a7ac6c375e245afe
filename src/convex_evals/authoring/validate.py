"""Does an eval tell right from wrong? Its answer and every `right/` pass, every `wrong/` fails where it should.

Grades through the same grader as any run; prints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from convex_evals.authoring.cases import Case, cases
from convex_evals.errors import TrialFailed
from convex_evals.types import Eval, Score, Submission


class Grades(Protocol):
    """What is needed of a grader."""

    async def grade(self, ev: Eval, submission: Submission) -> Score: ...


@dataclass(frozen=True)
class CaseResult:
    """One graded case."""

    name: str
    ok: bool
    problem: str
    """What came out instead; empty when ok."""
    seconds: float
    checks: Mapping[str, float] = field(default_factory=dict)
    """Seconds by check."""


@dataclass(frozen=True)
class Row:
    """What validation found out about one eval."""

    id: str
    ok: bool
    cases: tuple[CaseResult, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(f"{case.name}: {case.problem}" for case in self.cases if not case.ok)


OnCase = Callable[[str, CaseResult], None]


async def validate(
    evals: Sequence[Eval], grader: Grades, *, on_case: OnCase | None = None, repeat: int = 1, parallel: int = 16
) -> tuple[Row, ...]:
    """Grade every case of every eval `repeat` times; a case is ok when each grading came out as declared.

    `parallel`: gradings under way; the grader's lanes bound how many of them are deployed.
    """
    gate = asyncio.Semaphore(parallel)

    async def one(ev: Eval, case: Case) -> CaseResult:
        async with gate:
            result = await _grade_case(ev, case, grader)
        if on_case is not None:
            on_case(ev.id, result)
        return result

    planned = [(ev, case) for ev in evals for case in cases(ev) for _ in range(repeat)]
    async with asyncio.TaskGroup() as group:  # what breaks or interrupts one ends them all before the grader closes
        tasks = [group.create_task(one(ev, case)) for ev, case in planned]
    results = [task.result() for task in tasks]
    rows = []
    for ev in evals:
        mine = tuple(result for (owner, _), result in zip(planned, results, strict=True) if owner is ev)
        rows.append(Row(ev.id, all(result.ok for result in mine), mine))
    return tuple(rows)


async def _grade_case(ev: Eval, case: Case, grader: Grades) -> CaseResult:
    started = perf_counter()
    try:
        score = await grader.grade(ev, Submission(files=case.files))
    except TrialFailed as error:
        return CaseResult(case.name, False, f"error, not a verdict: {error}", perf_counter() - started)
    problem = judge(case, score)
    checks: dict[str, float] = {check.name: check.seconds for check in score.checks}
    return CaseResult(case.name, not problem, problem, perf_counter() - started, checks)


def judge(case: Case, score: Score) -> str:
    """What is wrong with this verdict on this case; empty when it is as declared."""
    failed = {check.name: check for check in score.checks if check.status == "fail"}
    if case.passes:
        if score.passed:
            return ""
        first = score.first_failure
        return (
            f"must pass, failed at {first.name}: {_reason(score)}"
            if first
            else "must pass, a required check was skipped"
        )
    if score.passed:
        return "must fail, passed"
    if case.expected is None:
        return _passing_tests(score)
    check = failed.get(case.expected.check)
    if check is None:
        return f"must fail at {case.expected.check}, failed at {', '.join(failed)}: {_reason(score)}"
    text = check.detail
    if case.expected.test is not None:
        test = check.tests.get(case.expected.test)
        if test is None:
            return f"there is no test {case.expected.test}; there are {', '.join(check.tests)}"
        if test.status != "fail":
            failing = [name for name, result in check.tests.items() if result.status == "fail"]
            return f"must fail at test {case.expected.test}, failed at {', '.join(failing)}"
        text = test.message
    if case.expected.match is not None and case.expected.match not in text:
        return f"must fail with {case.expected.match!r}, failed with: {text.strip()[:500]}"
    return ""


def _passing_tests(score: Score) -> str:
    """A test that passes where no function exists observes nothing."""
    passing = [name for check in score.checks for name, test in check.tests.items() if test.status == "pass"]
    return f"tests that pass on an empty project: {', '.join(passing)}" if passing else ""


def _reason(score: Score) -> str:
    first = score.first_failure
    if first is None:
        return "nothing failed"
    tests = "; ".join(f"{name}: {test.message.strip()}" for name, test in first.tests.items() if test.status == "fail")
    return (tests or first.detail).strip()[:1500]
