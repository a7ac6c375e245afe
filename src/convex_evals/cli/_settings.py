"""The options about models and generation that `run` and `try` share. Knows no Inspect: it only collects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

GENERATION = ("temperature", "max_tokens", "seed", "reasoning_effort")
SETTINGS = (*GENERATION, "timeout_seconds", "connections", "stream", "base_url")


def model_options(function: F) -> F:
    """How models are asked, and how much at once."""
    path = click.Path(path_type=Path)
    seconds: dict[str, Any] = {"type": click.IntRange(1), "default": 600, "show_default": True, "metavar": "SECONDS"}
    for option in (
        click.option("--prices", type=path, metavar="FILE", help="Prices laid over the table of ours."),
        click.option("--guidelines-from", type=path, metavar="PATH", help="Another folder of rules."),
        click.option("--base-url", metavar="URL", help="Another address of the provider."),
        click.option("--stream/--no-stream", default=True, show_default=True, help="Let replies stream."),
        click.option("--connections", type=click.IntRange(1), default=10, show_default=True, help="Requests at once."),
        click.option("--timeout", "timeout_seconds", help="For one attempt at a reply.", **seconds),
        click.option("--reasoning-effort", metavar="LEVEL", help="As the model takes it: low, medium, high, …"),
        click.option("--seed", type=int, metavar="N"),
        click.option("--max-tokens", type=click.IntRange(1), metavar="N", help="Longest output; else the provider's."),
        click.option("--temperature", type=click.FloatRange(0), metavar="T"),
        click.option("--parallel", type=click.IntRange(1), default=4, show_default=True, help="Gradings at once."),
    ):
        function = option(function)
    return function


def take_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Remove the generation settings from the options given and return them."""
    return {name: given.pop(name) for name in SETTINGS}
