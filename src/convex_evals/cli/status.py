"""`convex-evals status`: the runs there are, what each still lacks, and what did not pass."""

from __future__ import annotations

import json
from pathlib import Path

import click

from convex_evals.cli.exits import PASSED


@click.command("status")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--failed", is_flag=True, help="What did not pass in RUN, or in the latest run.")
@click.option("--out", "runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="PATH")
@click.option("--json", "as_json", is_flag=True, help="A JSON array.")
def command(run_id: str | None, failed: bool, runs: Path, as_json: bool) -> int:
    """List the runs; with RUN its table; with --failed the trials that did not pass, and why."""
    from convex_evals.reports.summary import summarize
    from convex_evals.reports.terminal import render_table
    from convex_evals.results import find_run, read_runs

    if failed:
        _print_failed(runs, run_id, as_json)
        return PASSED
    records = [find_run(runs, run_id)] if run_id is not None else list(read_runs(runs))
    summaries = [summarize(record) for record in records]
    if as_json:
        click.echo(json.dumps([summary.as_json() for summary in summaries], indent=2))
    elif run_id is not None:
        click.echo(render_table(summaries))
    elif not summaries:
        click.echo(f"no runs in {runs}; `convex-evals run` makes one")
    else:
        width = max(len(summary.record.run.id) for summary in summaries)
        for summary in summaries:
            total = summary.total
            state = "complete" if summary.record.complete else f"INCOMPLETE, {total.errors + total.left} missing"
            started = summary.record.run.started[:16].replace("T", " ")
            click.echo(f"{summary.record.run.id:<{width}}  {started}  {total.passed}/{total.planned} passed  {state}")
    return PASSED


def _print_failed(runs: Path, run_id: str | None, as_json: bool) -> None:
    from convex_evals.reports.trial import one_line
    from convex_evals.results import find_run

    record = find_run(runs, run_id)
    rows = [trial for trial in record.trials if trial.outcome != "passed"]
    tried = {(trial.eval_id, trial.epoch) for trial in record.trials}
    untried = [key for key in record.missing if key not in tried]
    if as_json:
        listed: list[dict[str, object]] = []
        for trial in rows:
            listed.append({"id": trial.eval_id, "epoch": trial.epoch, "outcome": trial.outcome, "why": one_line(trial)})
        listed += [{"id": eval_id, "epoch": epoch, "outcome": None, "why": "not tried"} for eval_id, epoch in untried]
        click.echo(json.dumps(listed, indent=2))
        return
    for trial in rows:
        click.echo(f"{trial.eval_id} #{trial.epoch}  {trial.outcome}  {one_line(trial)}")
    for eval_id, epoch in untried:
        click.echo(f"{eval_id} #{epoch}  not tried")
    click.echo(f"\n{len(rows) + len(untried)} of {record.planned} did not pass in {record.run.id}")
