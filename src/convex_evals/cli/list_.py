"""`convex-evals list`: the evals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from convex_evals.cli.options import filter_options, selection, suite_options


@click.command("list")
@filter_options
@suite_options
@click.option("--json", "as_json", is_flag=True, help="A JSON array with one object an eval.")
def command(
    ids: Sequence[str],
    categories: Sequence[str],
    pattern: str | None,
    suite: Path | None,
    suite_admin_key: str | None,
    as_json: bool,
) -> None:
    """List the evals, by category."""
    chosen = selection(suite, ids, categories, pattern)
    if as_json:
        rows = [
            {
                "id": ev.id,
                "category": ev.category,
                "split": ev.split,
                "family": ev.family,
                "api": ev.tags,
                "needs": sorted(ev.needs),
                "why": ev.why,
                "hash": ev.hash,
            }
            for ev in chosen.evals
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(ev.id) for ev in chosen.evals)
    for ev in chosen.evals:
        needs = f"  (needs {', '.join(sorted(ev.needs))})" if ev.needs else ""
        click.echo(f"{ev.id:<{width}}  {ev.split or '-':<10}  {', '.join(ev.tags)}{needs}".rstrip())
    click.echo(f"\n{len(chosen.evals)} evals; suite {chosen.suite.name} {chosen.suite.hash[:12]}")
