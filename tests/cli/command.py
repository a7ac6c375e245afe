"""Running the real command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

KEYS = ("API_KEY", "_BASE_URL", "INSPECT_", "CONVEX_")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without keys and addresses of providers."""
    kept = {name: value for name, value in os.environ.items() if not any(part in name for part in KEYS)}
    return {**kept, "PYTHONWARNINGS": "", **(more or {})}


def start(*words: str, cwd: Path, more: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """`convex-evals WORDS…`, started in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "convex_evals.cli", *words],
        cwd=cwd,
        env=environment(more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(*words: str, cwd: Path, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`convex-evals WORDS…`, to its end. Whatever happens, nobody sees a traceback."""
    with start(*words, cwd=cwd, more=more) as process:
        out, err = process.communicate(timeout=300)
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Until the condition holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.05)
