"""`convex-evals grade`: grade stored submissions again, or a project folder that anyone made. No model is asked."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convex_evals.cli.exits import FAILED, PASSED
from convex_evals.cli.options import cache_folder, suite_options
from convex_evals.errors import ReplyUnusable, UsageError

if TYPE_CHECKING:
    from convex_evals.results import RunRecord
    from convex_evals.types import Score, Submission


@click.command("grade")
@click.argument("target", metavar="RUN|DIR")
@click.option("--eval", "eval_id", metavar="ID", help="Grade the project in the folder DIR as an answer to this eval.")
@click.option("--parallel", type=click.IntRange(1), default=4, show_default=True, help="Gradings at once.")
@click.option("--out", "runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="PATH")
@suite_options
@click.option("--json", "as_json", is_flag=True, help="The score, or the run's figures, as a JSON object.")
def command(
    target: str,
    eval_id: str | None,
    parallel: int,
    runs: Path,
    suite: Path | None,
    suite_admin_key: str | None,
    as_json: bool,
) -> int:
    """Grade without asking a model.

    With --eval it is the project folder DIR that is graded: exit code 0 when it passes, 1 when it fails. Without, it is
    a run (its id, the beginning of its id, or its path): the stored submissions are graded with the evals and tools of
    today. If these are not those of the run, the verdicts go into a new run and the old one stays as it was.
    """
    if eval_id is not None:
        return _grade_folder(eval_id, Path(target), suite, suite_admin_key, as_json)
    record = asyncio.run(_regrade(target, runs, suite, suite_admin_key, parallel, quiet=as_json))
    from convex_evals.cli.run import exit_code
    from convex_evals.reports.summary import summarize
    from convex_evals.reports.terminal import render_table

    summary = summarize(record)
    click.echo(json.dumps(summary.as_json(), indent=2) if as_json else "\n" + render_table([summary]))
    return exit_code([summary])


def _grade_folder(eval_id: str, folder: Path, suite: Path | None, admin_key: str | None, as_json: bool) -> int:
    from convex_evals.suite import find, load_suite

    ev = find(load_suite(suite), eval_id)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")

    from convex_evals.grade import open_grader

    async def grade() -> Score:
        async with open_grader(cache_folder(), Path.home(), admin_key) as grader:
            return await grader.grade(ev, _submission(folder))

    score = asyncio.run(grade())
    if as_json:
        import msgspec

        derived = {"id": ev.id, "passed": score.passed, "fraction": score.fraction}
        click.echo(json.dumps(derived | msgspec.to_builtins(score, order="sorted"), indent=2))
    else:
        from convex_evals.reports.trial import render_checks

        click.echo(f"{ev.id}: {'PASSED' if score.passed else 'FAILED'}\n" + render_checks(score))
    return PASSED if score.passed else FAILED


def _submission(folder: Path) -> Submission:
    """The folder as if a model had written it: what a reply may not hold fails the files check."""
    from convex_evals.types import Submission
    from convex_evals.workspace import read_folder

    try:
        return Submission(read_folder(folder))
    except ReplyUnusable as error:
        return Submission({}, problem=str(error))


async def _regrade(
    target: str, runs: Path, suite_path: Path | None, admin_key: str | None, parallel: int, quiet: bool
) -> RunRecord:
    from convex_evals.cli._campaign import judged_by
    from convex_evals.cli._progress import Progress
    from convex_evals.grade import open_grader
    from convex_evals.harness.regrade import regrade
    from convex_evals.results import find_run, open_run
    from convex_evals.suite import load_suite

    record = find_run(runs, target)
    suite = load_suite(suite_path)
    if suite.name != record.run.suite:
        raise UsageError(f"{record.run.id} is of the suite {record.run.suite!r}: name its folder with --suite")
    progress = Progress(quiet)
    async with open_grader(cache_folder(), Path.home(), admin_key) as grader:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        plan = dataclasses.replace(record.run, started=now, **judged_by(suite, grader, admin_key))
        with open_run(record.path.parent, plan) as folder:
            if folder.run.id != record.run.id:
                progress.say(f"evals or tools are not those of {record.run.id}: new run {folder.run.id}")
                folder.take_replies(record.path)
            progress.plan(sum(trial.submission is not None for trial in record.trials))
            with progress.showing([]):
                graded = await regrade(record, folder, suite.evals, grader.grade, progress.watch, graders=parallel)
            progress.say(f"{graded} graded again")
            return folder.record()
