"""Summaries as plain text: a table by category with a column a run, and what is known of each run below it."""

from __future__ import annotations

from collections.abc import Sequence

from convex_evals.reports.summary import Counts, Summary


def render_table(summaries: Sequence[Summary]) -> str:
    """Rows are categories, columns are runs. Ends with one line a run: model, condition, what is missing, path."""
    categories = list(dict.fromkeys(name for summary in summaries for name in summary.categories))
    heads = [f"[{number}]" for number in range(1, len(summaries) + 1)]
    rows = [["", *heads]]
    for name in categories:
        rows.append([name, *(_cell(summary.categories.get(name)) for summary in summaries)])
    rows.append(["all", *(_cell(summary.total) for summary in summaries)])
    rows.append(["behaviour tests passed", *(_percent(summary.total.fraction) for summary in summaries)])
    rows.append(["tokens in / out", *(_tokens(summary) for summary in summaries)])
    rows.append(["cost", *(_cost(summary) for summary in summaries)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "-" * len(lines[0]))
    lines.insert(2 + len(categories), "-" * len(lines[0]))
    legend = [f"{head} {describe(summary)}" for head, summary in zip(heads, summaries, strict=True)]
    return "\n".join([*lines, "", *legend])


def describe(summary: Summary) -> str:
    """One run in one line, and a second one when it is incomplete."""
    line = f"{summary.label}: {summary.record.path}"
    if summary.record.complete:
        return line
    total = summary.total
    parts = [f"{cause} {count}" for cause, count in sorted(summary.causes.items())]
    parts += [f"not tried {total.left}"] if total.left else []
    return (
        f"{line}\n    INCOMPLETE: {total.errors + total.left} of {total.planned} have no verdict ({', '.join(parts)})"
    )


def money(usd: float | None) -> str:
    """A cost in dollars; unknown says so."""
    if usd is None:
        return "unknown"
    return f"${usd:.2f}" if usd >= 0.095 or usd == 0 else f"${usd:.4f}"


def count(tokens: int | None) -> str:
    """A number of tokens, short."""
    if tokens is None:
        return "?"
    return f"{tokens / 1e6:.1f}M" if tokens >= 1e6 else f"{tokens / 1e3:.0f}k" if tokens >= 1e4 else str(tokens)


def _cell(counts: Counts | None) -> str:
    if counts is None or not counts.planned:
        return "-"
    errors = f" {counts.errors + counts.left}!" if counts.errors + counts.left else ""
    return f"{counts.passed}/{counts.planned}{errors} {_percent(counts.rate):>4}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f}%"


def _cost(summary: Summary) -> str:
    nothing_counted = summary.input_tokens is None and summary.cost_usd is None
    return "-" if nothing_counted else money(summary.cost_usd)


def _tokens(summary: Summary) -> str:
    if summary.input_tokens is None and summary.output_tokens is None:
        return "-"
    return f"{count(summary.input_tokens)} / {count(summary.output_tokens)}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
    return "  ".join([f"{row[0]:<{widths[0]}}", *cells])
