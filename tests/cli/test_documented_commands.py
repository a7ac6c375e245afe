"""Every `convex-evals` command that README and docs show is parsed; those that need no provider are run for real."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from convex_evals.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^[ ]*```sh\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
KEYLESS = ("answer", "empty", "replay", "scripted")
EXPECTED_EXIT = {"grade": {0, 1}, "run": {0, 1}, "try": {0, 1}}


def documented() -> list[tuple[str, list[str]]]:
    """(page, arguments) of each command line shown."""
    found = []
    for page in PAGES:
        for block in FENCE.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                if words and words[0].endswith("convex-evals"):
                    found.append((page.name, words[1:]))
    return found


def needs_provider(words: list[str]) -> bool:
    models = [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-m", "--model")]
    return any(model.split("/")[0] not in KEYLESS for model in models)


COMMANDS = documented()


def test_the_pages_show_commands() -> None:
    assert {words[0] for _, words in COMMANDS} >= {"run", "try", "grade", "validate", "prompt"}, COMMANDS


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda part: " ".join(part) if isinstance(part, list) else "")
def test_a_documented_command_is_understood(page: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None, f"{page}: there is no command {words[0]}"
    command.make_context(words[0], words[1:], resilient_parsing=False)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the documented commands work one after the other, as in a checkout."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("evals", "guidelines", "tests", "docs"):
        (folder / name).symlink_to(ROOT / name)
    return folder


RUNNABLE = [(page, words) for page, words in COMMANDS if not needs_provider(words) and words[0] != "setup"]


@pytest.mark.parametrize(("page", "words"), RUNNABLE, ids=lambda part: " ".join(part) if isinstance(part, list) else "")
def test_a_documented_command_works(page: str, words: list[str], desk: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "convex_evals.cli", *words], cwd=desk, capture_output=True, text=True, check=False
    )
    assert done.returncode in EXPECTED_EXIT.get(words[0], {0}), f"{page}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr, done.stderr
