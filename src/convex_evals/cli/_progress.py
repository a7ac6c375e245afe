"""Live progress of a run: a display that renews itself on a terminal, plain lines elsewhere. Writes to stderr only."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import click

from convex_evals.reports.terminal import count, money
from convex_evals.reports.trial import one_line, plain

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

    from convex_evals.harness.trials import Event
    from convex_evals.results import RunFolder
    from convex_evals.types import Reply, Run, Trial

MAX_RUNNING = 8


class Progress:
    """Hears events of trials and shows what runs, what passed, what is left, tokens and cost."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live: Live | None = None
        self._labels: dict[str, str] = {}
        self._running: dict[tuple[str, str, int], tuple[str, float]] = {}
        self._planned = self._passed = self._failed = self._errors = 0
        self._tokens_in = self._tokens_out = 0
        self._cost_usd: float | None = 0.0

    def plan(self, trials: int) -> None:
        """So many trials more are to be expected."""
        self._planned += trials

    @contextmanager
    def showing(self, runs: Sequence[tuple[RunFolder, Run]]) -> Iterator[None]:
        """Show progress until the block ends."""
        for folder, run in runs:
            record = folder.record()
            self._labels[run.id] = run.model if len(runs) == 1 else f"{run.model} ({run.condition})"
            self._planned += record.planned
            for trial in record.scored:
                self._count(trial)
        if self._passed + self._failed:
            self.say(f"{self._passed + self._failed} of {self._planned} trials have a verdict from before")
        if self._quiet or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        with Live(console=console, get_renderable=self._render, refresh_per_second=4, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def say(self, line: str) -> None:
        """One line for the user, above the live display."""
        if self._quiet:
            return
        if self._live is not None:
            self._live.console.print(line, markup=False, highlight=False)
        else:
            click.echo(line, err=True)

    def watch(self, event: Event) -> None:
        """Take in one event."""
        key = (event.run_id, event.eval_id, event.epoch)
        if event.kind in ("asking", "grading"):
            self._running[key] = (event.kind, monotonic())
        elif event.kind == "replied":
            self._running[key] = ("waiting", monotonic())
            if event.reply is not None:
                self._add_usage(event.reply)
        elif event.kind == "retrying":
            self.say(f"  {self._name(key)}: {plain(event.message)}")
        elif event.kind == "done" and event.trial is not None:
            self._running.pop(key, None)
            self._count(event.trial)
            if event.trial.outcome == "passed":
                self.say(f"{self._position()} passed  {self._name(key)}")
            else:
                self.say(f"{self._position()} {event.trial.outcome:<6}  {self._name(key)}: {one_line(event.trial)}")

    def _count(self, trial: Trial) -> None:
        self._passed += trial.outcome == "passed"
        self._failed += trial.outcome == "failed"
        self._errors += trial.outcome == "error"

    def _add_usage(self, reply: Reply) -> None:
        if reply.usage is not None:
            self._tokens_in += reply.usage.input_tokens or 0
            self._tokens_out += reply.usage.output_tokens or 0
        self._cost_usd = None if self._cost_usd is None or reply.cost_usd is None else self._cost_usd + reply.cost_usd

    def _position(self) -> str:
        done = self._passed + self._failed + self._errors
        return f"[{done:>{len(str(self._planned))}}/{self._planned}]"

    def _name(self, key: tuple[str, str, int]) -> str:
        run_id, eval_id, epoch = key
        label = f"  {self._labels.get(run_id, run_id)}" if len(self._labels) > 1 else ""
        return f"{eval_id}{f' #{epoch}' if epoch > 1 else ''}{label}"

    def _render(self) -> Text:
        from rich.text import Text

        done = self._passed + self._failed + self._errors
        head = (
            f"{done}/{self._planned}  passed {self._passed}  failed {self._failed}  errors {self._errors}  "
            f"left {self._planned - done}  tokens {count(self._tokens_in)} in, {count(self._tokens_out)} out  "
            f"cost {money(self._cost_usd)}"
        )
        now = monotonic()
        running = [f"  {kind} {self._name(key)} {now - since:.0f} s" for key, (kind, since) in self._running.items()]
        more = [f"  and {len(running) - MAX_RUNNING} more"] if len(running) > MAX_RUNNING else []
        return Text("\n".join([head, *running[:MAX_RUNNING], *more]), overflow="ellipsis", no_wrap=True)
