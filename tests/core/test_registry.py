"""The evals inside Inspect's own command line, by the entry point that an installation registers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log


@pytest.mark.parametrize(("model", "accuracy"), [("answer/answer", 1.0), ("empty/empty", 0.0)])
def test_a_category_runs_in_inspect(tmp_path: Path, model: str, accuracy: float) -> None:
    words = ["eval", "convex_evals/fundamentals", "--model", model, "--display", "none", "--log-dir", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "inspect_ai", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = tmp_path.glob("*.eval")
    log = read_eval_log(str(path))
    assert log.status == "success"
    assert log.results is not None
    assert log.results.total_samples == log.results.completed_samples == 2
    assert log.results.scores[0].metrics["accuracy"].value == accuracy
