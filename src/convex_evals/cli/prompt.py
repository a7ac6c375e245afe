"""`convex-evals prompt`: what a model is sent."""

from __future__ import annotations

import json
from pathlib import Path

import click

from convex_evals.cli.options import suite_options


@click.command("prompt")
@click.argument("id_", metavar="ID")
@click.option("--guidelines/--no-guidelines", default=True, show_default=True, help="With our guidelines in it.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array of messages with role and text.")
@suite_options
def command(id_: str, guidelines: bool, as_json: bool, suite: Path | None, suite_admin_key: str | None) -> None:
    """Print what a model is sent for the eval ID, to paste into any chat."""
    from convex_evals.guidelines import load_guidelines
    from convex_evals.prompt import build_messages, render_messages
    from convex_evals.suite import content_folder, find, load_suite

    ev = find(load_suite(suite), id_)
    rules = load_guidelines(content_folder() / "guidelines") if guidelines else None
    messages = build_messages(ev, rules)
    if as_json:
        click.echo(json.dumps([{"role": message.role, "text": message.text} for message in messages], indent=2))
    else:
        click.echo(render_messages(messages), nl=False)
