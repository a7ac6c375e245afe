"""Options that several commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from convex_evals.harness.places import cache_folder

if TYPE_CHECKING:
    from convex_evals.suite import Suite
    from convex_evals.types import Eval

__all__ = ["Selection", "cache_folder", "filter_options", "selection", "suite_options"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Selection:
    """A suite and the evals of it that the options choose."""

    suite: Suite
    evals: tuple[Eval, ...]


def suite_options(function: F) -> F:
    """--suite and --suite-admin-key."""
    for option in (
        click.option(
            "--suite-admin-key",
            metavar="KEY",
            help="The constant admin key that the suite's helpers carry; its deployments get it.",
        ),
        click.option(
            "--suite",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help="A folder of evals, native or in the public layout, instead of the suite that comes along.",
        ),
    ):
        function = option(function)
    return function


def filter_options(function: F) -> F:
    """Which evals: ids, --category, --filter."""
    for option in (
        click.option("--filter", "pattern", metavar="REGEX", help="Only evals whose id matches."),
        click.option("--category", "categories", multiple=True, metavar="NAME", help="Only this category; repeatable."),
        click.argument("ids", nargs=-1, metavar="[ID]..."),
    ):
        function = option(function)
    return function


def selection(
    suite: Path | None, ids: Sequence[str] = (), categories: Sequence[str] = (), pattern: str | None = None
) -> Selection:
    """The evals that the options choose. Raises UsageError when one names nothing."""
    from convex_evals.suite import load_suite, select

    loaded = load_suite(suite)
    return Selection(loaded, select(loaded, ids=ids, categories=categories, pattern=pattern))
