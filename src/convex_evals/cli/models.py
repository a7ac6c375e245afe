"""`convex-evals models`: names that work here, providers and their variables, and which prices are known."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import click

from convex_evals.cli.exits import PASSED


@dataclass(frozen=True)
class ProviderRow:
    """A provider that Inspect knows."""

    name: str
    variables: tuple[str, ...]
    """Any of them will do."""
    package: str | None = None
    """A PyPI package that it needs beyond ours."""


OFFLINE = (
    ("answer", "the reference answer: everything must pass"),
    ("empty", "says nothing: everything must fail"),
    ("replay/FOLDER", "recorded replies, FOLDER/<category>/<name>.md"),
    ("scripted/FILE", "replies and provider faults from a JSON file, for tests"),
)
PROVIDERS = (
    ProviderRow("anthropic", ("ANTHROPIC_API_KEY",)),
    ProviderRow("openai", ("OPENAI_API_KEY",)),
    ProviderRow("google", ("GOOGLE_API_KEY", "GEMINI_API_KEY"), "google-genai"),
    ProviderRow("grok", ("XAI_API_KEY", "GROK_API_KEY"), "xai-sdk"),
    ProviderRow("mistral", ("MISTRAL_API_KEY",), "mistralai"),
    ProviderRow("groq", ("GROQ_API_KEY",), "groq"),
    ProviderRow("deepseek", ("DEEPSEEK_API_KEY",)),
    ProviderRow("moonshot", ("MOONSHOT_API_KEY",)),
    ProviderRow("together", ("TOGETHER_API_KEY",)),
    ProviderRow("fireworks", ("FIREWORKS_API_KEY",)),
    ProviderRow("openrouter", ("OPENROUTER_API_KEY",)),
    ProviderRow("perplexity", ("PERPLEXITY_API_KEY",)),
    ProviderRow("ollama", (), None),
    ProviderRow("openai-api/NAME", ("NAME_API_KEY",)),
)


@click.command("models")
@click.option("--json", "as_json", is_flag=True, help="A JSON object: offline, providers, prices.")
def command(as_json: bool) -> int:
    """Say which names -m takes. Any provider of Inspect works: provider/model, the key in the environment or `.env`."""
    from convex_evals.cli._environment import load_keys
    from convex_evals.harness.prices import load_prices

    load_keys()
    prices = load_prices()
    if as_json:
        data = {
            "offline": [name for name, _ in OFFLINE],
            "providers": [
                {"name": row.name, "variables": row.variables, "ready": _ready(row), "package": row.package}
                for row in PROVIDERS
            ],
            "prices": {
                name: {"input_usd": price.input_usd, "output_usd": price.output_usd, "checked": price.checked}
                for name, price in prices.rows.items()
            },
        }
        click.echo(json.dumps(data, indent=2))
        return PASSED
    click.echo("Without a key:")
    for name, said in OFFLINE:
        click.echo(f"  {name:<16} {said}")
    click.echo("\nProviders (others that Inspect knows work too):")
    for row in PROVIDERS:
        click.echo(f"  {row.name + '/…':<18} {_state(row)}")
    click.echo("\n  openai-api/NAME/MODEL is any OpenAI-compatible server, at NAME_BASE_URL with NAME_API_KEY.")
    click.echo(f"\nPrices are known for {len(prices.rows)} models, USD for a million tokens in / out:")
    for name, price in prices.rows.items():
        click.echo(f"  {name:<44} {price.input_usd:>7g} / {price.output_usd:<7g} checked {price.checked}")
    return PASSED


def _ready(row: ProviderRow) -> bool:
    return not row.variables or any(os.environ.get(name) for name in row.variables)


def _state(row: ProviderRow) -> str:
    needs = f"  (pip install {row.package})" if row.package else ""
    if not row.variables:
        return "no key needed; runs on this machine" + needs
    found = [name for name in row.variables if os.environ.get(name)]
    return (f"key found in {found[0]}" if found else f"set {' or '.join(row.variables)}") + needs
