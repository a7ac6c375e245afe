"""docs/lint-rules.md is made from the rules' own data."""

from __future__ import annotations

from pathlib import Path

import pytest

from convex_evals.toolchain.lint_rules import RULES, LintRule

PAGE = Path(__file__).parents[2] / "docs" / "lint-rules.md"
HEAD = """\
# Lint rules that count

Only what breaks in production although it deploys and type-checks makes a submission fail; taste never does.
The rules look at the functions folder alone. Each is shown with a program that it fails and the same program,
mended; both are tested. This page is made from `toolchain/lint_rules.py` by `make goldens`.
"""


def section(rule: LintRule) -> str:
    fails, passes = (f"```ts\n{text.strip()}\n```" for text in (rule.fails, rule.passes))
    return f"\n## `{rule.id}`\n\n{rule.why}\n\nFails:\n\n{fails}\n\nPasses:\n\n{passes}\n"


def test_the_page_shows_every_rule(request: pytest.FixtureRequest) -> None:
    text = HEAD + "".join(section(rule) for rule in RULES)
    if request.config.getoption("--update-goldens"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, "run `make goldens` and look at the difference"
