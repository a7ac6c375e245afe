"""`convex-evals try`: one eval with and without guidelines, outputs and verdicts side by side."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_evals.cli._settings import model_options, take_settings
from convex_evals.cli.exits import FAILED, INCOMPLETE, PASSED
from convex_evals.cli.options import suite_options

if TYPE_CHECKING:
    from convex_evals.results import RunRecord
    from convex_evals.types import Trial

HEADS = ("with guidelines", "without guidelines")


@click.command("try")
@click.argument("id_", metavar="ID")
@click.option("-m", "--model", default="answer", show_default=True, metavar="MODEL", help="provider/model.")
@click.option(
    "--out", "runs", type=click.Path(path_type=Path), default=Path("runs/try"), show_default=True, metavar="PATH"
)
@model_options
@suite_options
@click.option("--json", "as_json", is_flag=True, help="A JSON array with both trials.")
def command(id_: str, model: str, as_json: bool, **given: Any) -> int:
    """Ask MODEL for the eval ID twice, with and without guidelines, and show what it wrote and how it fared."""
    records = asyncio.run(_try(id_, model, given, quiet=as_json))
    trials = [record.trials[0] if record.trials else None for record in records]
    if as_json:
        import msgspec

        click.echo(json.dumps([msgspec.to_builtins(trial) for trial in trials], indent=2))
    else:
        _print_side_by_side(trials)
        for record in records:
            click.echo(f"{record.run.condition:<10}  {record.path}")
    if any(trial is None or trial.score is None for trial in trials):
        return INCOMPLETE
    return PASSED if all(trial is not None and trial.outcome == "passed" for trial in trials) else FAILED


async def _try(id_: str, model: str, given: dict[str, Any], quiet: bool) -> tuple[RunRecord, ...]:
    from convex_evals.suite import find, load_suite

    suite = load_suite(given["suite"])
    ev = find(suite, id_)

    from convex_evals.cli._campaign import Campaign, run_campaign
    from convex_evals.cli._progress import Progress
    from convex_evals.harness.provider import Settings

    return await run_campaign(
        Campaign(
            models=(model,),
            conditions=(True, False),
            suite=suite,
            evals=(ev,),
            runs=given["runs"],
            settings=Settings(**take_settings(given)),
            guidelines_folder=given["guidelines_from"],
            parallel=given["parallel"],
            admin_key=given["suite_admin_key"],
            prices=given["prices"],
            fresh=True,
        ),
        Progress(quiet),
    )


def _print_side_by_side(trials: list[Trial | None]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from convex_evals.reports.trial import render_trial

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    table = Table(*HEADS, expand=True, show_lines=True)
    table.add_row(*(Text(_verdict(trial)) for trial in trials))
    table.add_row(*(Text(render_trial(trial, None) if trial else "") for trial in trials))
    paths = dict.fromkeys(path for trial in trials if trial and trial.submission for path in trial.submission.files)
    for path in paths:
        table.add_row(*(Text(_file(trial, path)) for trial in trials))
    console.print(table)


def _verdict(trial: Trial | None) -> str:
    return "no verdict" if trial is None else trial.outcome.upper()


def _file(trial: Trial | None, path: str) -> str:
    from convex_evals.reports.trial import plain

    if trial is None or trial.submission is None or path not in trial.submission.files:
        return f"{path}: not written"
    return plain(f"{path}\n\n{trial.submission.files[path]}")
