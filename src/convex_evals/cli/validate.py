"""`convex-evals validate`: does each eval tell right from wrong?"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from convex_evals.cli.exits import FAILED, PASSED
from convex_evals.cli.options import Selection, cache_folder, filter_options, selection, suite_options

if TYPE_CHECKING:
    from convex_evals.authoring.validate import CaseResult, Row


@click.command("validate")
@filter_options
@suite_options
@click.option(
    "--repeat", type=click.IntRange(1), default=1, metavar="N", help="Grade everything N times; all must agree."
)
@click.option("--parallel", type=click.IntRange(1), default=4, show_default=True, help="Deployments at once.")
@click.option("--without", multiple=True, metavar="NEED", help="Leave out evals with this need, e.g. browser.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array with one row an eval: id, ok, problems, cases.")
def command(
    ids: Sequence[str],
    categories: Sequence[str],
    pattern: str | None,
    suite: Path | None,
    suite_admin_key: str | None,
    repeat: int,
    parallel: int,
    without: Sequence[str],
    as_json: bool,
) -> int:
    """Prove that each eval tells right from wrong.

    The answer and every right/ must pass, every wrong/ must fail where eval.toml says, the empty project must fail
    and no test may pass on it.
    """
    chosen = selection(suite, ids, categories, pattern)
    evals = tuple(ev for ev in chosen.evals if not ev.needs & set(without))
    started = perf_counter()

    def on_case(eval_id: str, case: CaseResult) -> None:
        if not case.ok:
            click.echo(f"FAIL {eval_id} {case.name}: {case.problem}", err=True)
        elif not as_json:
            click.echo(f"ok   {eval_id} {case.name} ({case.seconds:.2f} s)", err=True)

    rows = asyncio.run(_validate(Selection(chosen.suite, evals), suite_admin_key, repeat, parallel, on_case))
    if as_json:
        click.echo(json.dumps([as_row(row) for row in rows], indent=2))
    else:
        _print_table(rows, perf_counter() - started)
    return PASSED if all(row.ok for row in rows) else FAILED


async def _validate(
    chosen: Selection, admin_key: str | None, repeat: int, parallel: int, on_case: object
) -> tuple[Row, ...]:
    from convex_evals.authoring.validate import validate
    from convex_evals.grade import open_grader

    async with open_grader(cache_folder(), Path.home(), admin_key, lanes=parallel) as grader:
        return await validate(chosen.evals, grader, on_case=on_case, repeat=repeat, parallel=4 * parallel)  # type: ignore[arg-type]


def as_row(row: Row) -> dict[str, object]:
    """One eval, for --json."""
    cases = [
        {"name": case.name, "ok": case.ok, "problem": case.problem, "seconds": round(case.seconds, 3)}
        for case in row.cases
    ]
    return {"id": row.id, "ok": row.ok, "problems": list(row.problems), "cases": cases}


def _print_table(rows: Sequence[Row], seconds: float) -> None:
    by_check: dict[str, list[float]] = defaultdict(list)
    for case in (case for row in rows for case in row.cases):
        for check, spent in case.checks.items():
            by_check[check].append(spent)
    kinds = ("answer", "right", "wrong", "empty")
    width = max((len(row.id) for row in rows), default=4)
    click.echo(f"\n{'eval':<{width}}  " + "  ".join(f"{kind:>7}" for kind in kinds))
    for row in rows:
        cells = []
        for kind in kinds:
            mine = [case for case in row.cases if case.name.split("/")[0] == kind]
            cells.append(f"{sum(case.ok for case in mine)}/{len(mine)}" if mine else "-")
        click.echo(f"{row.id:<{width}}  " + "  ".join(f"{cell:>7}" for cell in cells) + ("" if row.ok else "  FAIL"))
    click.echo(f"\n{'check':<10} {'gradings':>8} {'seconds':>8} {'mean':>7}   (waiting for a busy processor included)")
    for check, values in by_check.items():
        ran = [value for value in values if value > 0]
        click.echo(f"{check:<10} {len(ran):>8} {sum(ran):>8.1f} {sum(ran) / max(1, len(ran)):>7.3f}")
    gradings = sum(len(row.cases) for row in rows)
    click.echo(f"\n{sum(row.ok for row in rows)} of {len(rows)} evals ok, {gradings} gradings in {seconds:.1f} s")
