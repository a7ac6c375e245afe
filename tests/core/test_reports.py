"""What reports say of stored results: every planned trial is counted, unknown is not zero, hostile text stays text."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from worlds import make_run, make_trial

from convex_evals.errors import UsageError
from convex_evals.harness.prices import Price, Prices, load_prices
from convex_evals.reports.summary import summarize
from convex_evals.reports.terminal import count, money, render_table
from convex_evals.reports.trial import diff, one_line, render_trial
from convex_evals.results import RunRecord
from convex_evals.types import Reply, Submission, Trial, TrialError, Usage

PASSED, FAILED = make_trial("queries/a"), make_trial("actions/b", passed=False)
ERROR = dataclasses.replace(make_trial("queries/c"), score=None, error=TrialError("provider_unavailable", "503\nmore"))


def record_of(*trials: Trial) -> RunRecord:
    run = dataclasses.replace(make_run(evals=("queries/a", "queries/c", "actions/b", "actions/d")), id="r")
    return RunRecord(Path("runs/r"), run, trials)


def with_reply(trial: Trial, reply: Reply) -> Trial:
    return dataclasses.replace(trial, submission=Submission({"convex/index.ts": "x\n"}, reply))


def test_nothing_is_dropped_from_the_denominator() -> None:
    summary = summarize(record_of(PASSED, FAILED, ERROR))
    total = summary.total
    assert (total.planned, total.passed, total.failed, total.errors, total.left) == (4, 1, 1, 1, 1)
    assert total.rate == 0.25
    assert total.fraction == 0.75
    assert summary.categories["queries"].rate == 0.5
    assert summary.causes == {"provider_unavailable": 1}
    table = render_table([summary])
    assert "queries                 1/2 1!  50%" in table
    assert "INCOMPLETE: 2 of 4 have no verdict (provider_unavailable 1, not tried 1)" in table


def test_unknown_cost_is_unknown_and_known_ones_add_up() -> None:
    cheap = with_reply(PASSED, Reply("a", usage=Usage(1_000, 20), cost_usd=0.01))
    dear = with_reply(FAILED, Reply("a", usage=Usage(20_000, 5), cost_usd=1.5))
    free = with_reply(FAILED, Reply("a", usage=Usage(None, 5)))
    both = summarize(record_of(cheap, dear))
    assert both.cost_usd == pytest.approx(1.51)
    assert "21k / 25" in render_table([both])
    assert "$1.51" in render_table([both])
    one = summarize(record_of(cheap, free))
    assert (one.cost_usd, one.input_tokens, one.output_tokens) == (None, 1_000, 25)
    assert "unknown" in render_table([one])
    assert [money(None), money(0.0), money(0.0123), money(12.345)] == ["unknown", "$0.00", "$0.0123", "$12.35"]
    assert [count(None), count(9_999), count(12_345), count(2_500_000)] == ["?", "9999", "12k", "2.5M"]


def test_runs_stand_side_by_side() -> None:
    lines = render_table([summarize(record_of(PASSED)), summarize(record_of(FAILED))]).splitlines()
    assert lines[0].split() == ["[1]", "[2]"]
    (total,) = (line.split() for line in lines if line.startswith("all"))
    assert total == ["all", "1/4", "3!", "25%", "0/4", "3!", "0%"]
    assert len({len(line) for line in lines[: lines.index("")]}) == 1


def test_a_trial_says_why_in_a_line() -> None:
    assert one_line(PASSED) == "passed"
    assert one_line(FAILED) == "behaviour: test_b"
    assert one_line(ERROR) == "error: provider_unavailable: 503"


def test_a_trial_is_shown_with_what_was_expected() -> None:
    text = render_trial(FAILED, {"convex/index.ts": "y\n", "package.json": "{}\n"}, files=True, reply=True)
    assert "actions/b, epoch 1: FAILED" in text
    assert "expected 1, got 2" in text
    assert "-y\n+x" in text
    assert "actual/package.json  (not written)" in text
    assert list(diff({"a.ts": "x\n"}, {"a.ts": "x\n"})) == []


def test_hostile_text_does_not_command_the_terminal() -> None:
    hostile = with_reply(FAILED, Reply("\x1b[2J\x1b]0;title\x07 fine\ttext\x9b"))
    hostile = dataclasses.replace(hostile, error=TrialError("internal", "\x1b[31m"), score=None)
    shown = render_trial(hostile, None, files=True, reply=True) + one_line(hostile)
    assert "\\x1b[2J\\x1b]0;title\\x07 fine\ttext\\x9b" in shown
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)


def test_prices_are_dated_and_sourced_and_found_without_the_date_of_a_model() -> None:
    prices = load_prices()
    assert len(prices.rows) > 50
    for name, price in prices.rows.items():
        assert "/" in name
        assert price.source.startswith("https://"), name
        assert price.checked >= "2026-11-01", name
        assert 0 < price.input_usd <= price.output_usd, name
        assert price.cached_usd is None or price.cached_usd <= price.input_usd, name
    assert prices.of("anthropic/claude-sonnet-4-5-20250929") == prices.rows["anthropic/claude-sonnet-4-5"]
    assert prices.of("openai/gpt-5-2025-08-07") == prices.rows["openai/gpt-5"]
    assert prices.of("openai/gpt-nobody-knows") is None
    assert prices.cost_usd("openai/gpt-5", Usage(None, 5)) is None
    assert prices.cost_usd("openai/gpt-5", None) is None


def test_better_prices_lie_over_ours(tmp_path: Path) -> None:
    mine = tmp_path / "prices.toml"
    mine.write_text('["a/b"]\ninput_usd = 1\noutput_usd = 2\nsource = "me"\nchecked = "2026-11-22"\n')
    prices = load_prices(mine)
    assert prices.rows["a/b"] == Price(1.0, 2.0, None, "me", "2026-11-22")
    assert prices.cost_usd("a/b", Usage(1_000_000, 500_000, 400_000)) == 2.0
    assert isinstance(prices, Prices)
    mine.write_text('["a/b"]\ninput_usd = "much"\n')
    with pytest.raises(UsageError, match="no price table"):
        load_prices(mine)
