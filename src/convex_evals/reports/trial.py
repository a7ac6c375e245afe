"""One stored trial as text: verdict, checks, failing tests, what the model wrote, and that beside what was expected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from convex_evals.types import Check, Files, Score, Trial

MAX_DETAIL_LINES = 40
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def render_trial(trial: Trial, expected: Files | None, *, files: bool = False, reply: bool = False) -> str:
    """Everything that is stored of a trial, for a person. `expected`: the reference project, shown as a diff."""
    parts = ["\n".join(_verdict(trial))]
    if trial.score is not None:
        parts.append(render_checks(trial.score))
    if trial.submission is not None:
        notes = [f"  {note}" for note in trial.submission.notes]
        parts.append("\n".join(["files:", *(_size(trial.submission.files) or ["  none"])]))
        if notes:
            parts.append("\n".join(["what the parser did:", *notes]))
        if reply and trial.submission.reply is not None:
            parts.append("reply:\n" + trial.submission.reply.text)
        if files:
            parts += [f"--- {path} ---\n{text}" for path, text in trial.submission.files.items()]
        if expected is not None:
            parts.append("\n".join(diff(expected, trial.submission.files)) or "the files equal the reference answer")
    return plain("\n\n".join(parts)) + "\n"


def plain(text: str) -> str:
    """Text that a model or its program made, as a terminal may print it: control characters become visible."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


def render_checks(score: Score) -> str:
    """One line a check, with its details and failing tests below."""
    return plain("\n".join(line for check in score.checks for line in _check(check)))


def diff(expected: Files, actual: Files) -> Iterator[str]:
    """A unified diff from the reference answer to the submission, file by file."""
    for path in sorted({*expected, *actual}):
        before, after = expected.get(path), actual.get(path)
        if before == after:
            continue
        yield from difflib.unified_diff(
            (before or "").splitlines(),
            (after or "").splitlines(),
            f"expected/{path}" + ("" if before is not None else "  (not in the answer)"),
            f"actual/{path}" + ("" if after is not None else "  (not written)"),
            lineterm="",
        )


def one_line(trial: Trial) -> str:
    """Why a trial did not pass, in one line."""
    if trial.error is not None:
        return f"error: {trial.error.cause}: {_first_line(trial.error.message)}"
    failure = trial.score.first_failure if trial.score is not None else None
    if failure is None:
        return "passed" if trial.outcome == "passed" else "a required check did not run"
    failed = [name for name, test in failure.tests.items() if test.status == "fail"]
    return f"{failure.name}: {_first_line(failure.detail) if not failed else ', '.join(failed)}"


def _verdict(trial: Trial) -> Iterator[str]:
    yield f"{trial.eval_id}, epoch {trial.epoch}: {trial.outcome.upper()}"
    if trial.error is not None:
        yield f"  {trial.error.cause} after {trial.attempts} tries: {trial.error.message}"
    if trial.submission is not None and trial.submission.reply is not None:
        reply = trial.submission.reply
        if reply.seconds is not None:
            yield f"  answered in {reply.seconds:.1f} s, ended with {reply.stop!r}"
    if trial.score is not None:
        yield f"  behaviour tests passed: {100 * trial.score.fraction:.0f}%; graded in {trial.seconds:.1f} s"


def _check(check: Check) -> Iterator[str]:
    yield f"{check.status:<4}  {check.name:<10} {check.seconds:6.2f} s"
    if not check.tests and check.detail:
        yield from _indented(check.detail)
    for name, test in check.tests.items():
        yield f"      {test.status:<4}  {name}"
        if test.status == "fail":
            yield from _indented(test.message, 10)


def _indented(text: str, width: int = 6) -> Iterator[str]:
    lines = text.splitlines()
    for line in lines[:MAX_DETAIL_LINES]:
        yield " " * width + line
    if len(lines) > MAX_DETAIL_LINES:
        yield " " * width + f"… and {len(lines) - MAX_DETAIL_LINES} lines more"


def _size(files: Files) -> list[str]:
    return [f"  {path} ({text.count(chr(10))} lines)" for path, text in files.items()]


def _first_line(text: str) -> str:
    line = plain(next((line.strip() for line in text.splitlines() if line.strip()), ""))
    return line if len(line) <= 140 else line[:137] + "..."
