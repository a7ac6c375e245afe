"""The command line: parse, wire, call one function, print. A command is one file here, found by its name.

Nothing heavy is imported before a command runs: `convex-evals --help` answers in under 300 ms. This file,
`exits`, `options` and files that start with an underscore are the frame; every other file is a command.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

import click

from convex_evals.cli.exits import INCOMPLETE, SETUP, USAGE
from convex_evals.errors import EvalsError, SetupError, TrialFailed, UsageError, cause_of

FRAME = frozenset({"exits", "options", "__main__"})
"""Files here that are no commands; so are those that start with an underscore."""

EPILOG = """\b
Exit codes:
  0  all went as asked
  1  a grading failed, a validation found a problem, or --fail-under was not reached
  2  usage: an argument names nothing
  3  incomplete: some trials have no verdict; the same command continues
  4  setup: something has to be installed or configured first
"""


class Commands(click.Group):
    """Commands by file name, imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = (module.name for module in pkgutil.iter_modules(__path__))
        return sorted(name.rstrip("_") for name in names if name not in FRAME and not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        file = f"{cmd_name}_" if cmd_name in ("try", "list") else cmd_name
        command: click.Command = importlib.import_module(f"{__name__}.{file}").command
        return command


@click.command(
    cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="convex-evals")
def cli() -> None:
    """Find out, and prove, how well a language model writes Convex backends."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with one of the documented exit codes."""
    try:
        code = cli.main(args=arguments, prog_name="convex-evals", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nInterrupted. What a run had finished is stored, and the same command continues it.", err=True)
        code = INCOMPLETE
    except EvalsError as error:
        click.echo(f"convex-evals: {error}", err=True)
        code = _code(error)
    sys.exit(code if isinstance(code, int) else 0)


def _code(error: EvalsError) -> int:
    if isinstance(error, UsageError):
        return USAGE
    if isinstance(error, SetupError):
        return SETUP
    if isinstance(error, TrialFailed):
        click.echo(f"What to do: {cause_of(error).advice}", err=True)
    return INCOMPLETE
