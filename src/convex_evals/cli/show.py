"""`convex-evals show`: one stored trial: files, checks, output, actual beside expected as a diff."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convex_evals.cli.exits import PASSED
from convex_evals.errors import ReplyUnusable, UsageError

if TYPE_CHECKING:
    from convex_evals.types import Files, Trial


@click.command("show")
@click.argument("id_", metavar="ID")
@click.option("--run", "run_id", metavar="RUN", help="A run's id, the beginning of it, or its path. [the latest]")
@click.option("--epoch", type=click.IntRange(1), default=1, show_default=True)
@click.option("--files/--no-files", default=True, show_default=True, help="Print the files that were written.")
@click.option("--diff/--no-diff", default=True, show_default=True, help="Compare them with the reference answer.")
@click.option("--reply", is_flag=True, help="Print the model's reply verbatim.")
@click.option("--out", "runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="PATH")
@click.option("--suite", type=click.Path(path_type=Path), metavar="PATH", help="The run's suite, for the diff.")
@click.option("--json", "as_json", is_flag=True, help="The stored trial as a JSON object.")
def command(
    id_: str,
    run_id: str | None,
    epoch: int,
    files: bool,
    diff: bool,
    reply: bool,
    runs: Path,
    suite: Path | None,
    as_json: bool,
) -> int:
    """Show one trial of the eval ID: verdict, checks and failing tests, what was written, and how it differs."""
    from convex_evals.reports.trial import render_trial
    from convex_evals.results import find_run

    record = find_run(runs, run_id)
    trial = _find(record.trials, id_, epoch, record.run.id)
    if as_json:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(trial, order="sorted") | {"outcome": trial.outcome}, indent=2))
        return PASSED
    expected = _reference(trial.eval_id, suite) if diff and trial.submission is not None else None
    text = render_trial(trial, expected, files=files, reply=reply)
    click.echo_via_pager(text) if _is_long(text) else click.echo(text, nl=False)
    return PASSED


def _find(trials: tuple[Trial, ...], wanted: str, epoch: int, run_id: str) -> Trial:
    named = [trial for trial in trials if wanted in (trial.eval_id, trial.eval_id.split("/")[-1])]
    for trial in named:
        if trial.epoch == epoch:
            return trial
    if named:
        raise UsageError(f"{run_id}: {wanted} has the epochs {', '.join(str(trial.epoch) for trial in named)}")
    raise UsageError(f"{run_id} has no trial of {wanted!r}; `convex-evals status {run_id}` shows what it has")


def _reference(eval_id: str, suite: Path | None) -> Files | None:
    """The answer as it is now, or None when the eval is not in the suite at hand."""
    from convex_evals.suite import find, load_suite
    from convex_evals.workspace import read_folder

    try:
        return read_folder(find(load_suite(suite), eval_id).path / "answer")
    except (UsageError, ReplyUnusable):
        return None


def _is_long(text: str) -> bool:
    import shutil
    import sys

    return sys.stdout.isatty() and text.count("\n") > shutil.get_terminal_size().lines
