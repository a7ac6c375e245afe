"""`convex-evals run`: evals × models × conditions, from task to stored verdict."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_evals.cli._settings import model_options, take_settings
from convex_evals.cli.exits import FAILED, INCOMPLETE, PASSED
from convex_evals.cli.options import filter_options, selection, suite_options

if TYPE_CHECKING:
    from convex_evals.reports.summary import Summary
    from convex_evals.results import RunRecord


@click.command("run")
@click.option("-m", "--model", "models", multiple=True, metavar="MODEL", help="provider/model; repeatable. [answer]")
@click.option("--guidelines/--no-guidelines", default=None, help="Rules in the prompt, or not. [with]")
@click.option("--both", is_flag=True, help="Run with guidelines and without.")
@click.option("--epochs", type=click.IntRange(1), default=1, show_default=True, help="Replies per eval.")
@filter_options
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N of the chosen evals.")
@click.option("--failed", "only_failed", is_flag=True, help="Only what did not pass in the last run like this one.")
@click.option("--fresh", is_flag=True, help="Start again if the same run is there and complete.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Exit 1 when fewer trials pass.")
@click.option("--out", "runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="PATH")
@model_options
@suite_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object with an entry for each run, on stdout.")
def command(**given: Any) -> int:
    """Ask models for every chosen eval, grade what they write, store it, and print a table.

    The same command continues what was interrupted: nothing that finished is asked or graded again. A complete run is
    only printed again; --fresh makes another.
    """
    as_json, fail_under = given.pop("as_json"), given.pop("fail_under")
    records = asyncio.run(_run(given, quiet=as_json))
    from convex_evals.reports.summary import summarize
    from convex_evals.reports.terminal import render_table

    summaries = [summarize(record) for record in records]
    if as_json:
        click.echo(json.dumps({"runs": [summary.as_json() for summary in summaries]}, indent=2))
    elif summaries:
        click.echo("\n" + render_table(summaries))
    return exit_code(summaries, fail_under)


def exit_code(summaries: Sequence[Summary], fail_under: float | None = None) -> int:
    """INCOMPLETE before FAILED: a rate over missing verdicts says nothing yet."""
    if any(not summary.record.complete for summary in summaries):
        return INCOMPLETE
    if fail_under is not None and any(100 * summary.total.rate < fail_under for summary in summaries):
        return FAILED
    return PASSED


async def _run(given: dict[str, Any], quiet: bool) -> tuple[RunRecord, ...]:
    chosen = selection(given["suite"], given["ids"], given["categories"], given["pattern"])

    from convex_evals.cli._campaign import Campaign, run_campaign
    from convex_evals.cli._progress import Progress
    from convex_evals.harness.provider import Settings

    return await run_campaign(
        Campaign(
            models=tuple(dict.fromkeys(given["models"])) or ("answer",),
            conditions=(True, False) if given["both"] else (given["guidelines"] is not False,),
            suite=chosen.suite,
            evals=chosen.evals[: given["limit"]],
            runs=given["runs"],
            settings=Settings(**take_settings(given)),
            guidelines_folder=given["guidelines_from"],
            epochs=given["epochs"],
            parallel=given["parallel"],
            admin_key=given["suite_admin_key"],
            prices=given["prices"],
            fresh=given["fresh"],
            only_failed=given["only_failed"],
        ),
        Progress(quiet),
    )
