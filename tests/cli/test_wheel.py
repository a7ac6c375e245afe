"""A wheel built from the repository works from any folder: evals, guidelines and the runtime travel in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a folder of its own, far from the checkout."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(out / "site")
    return out / "site"


def run(installed: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "convex_evals.cli", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_what_runs_is_the_wheel(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", "import convex_evals; print(convex_evals.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(installed)


def test_it_lists_the_evals_that_travel_in_it(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "list", "--json")
    here = sorted(path.parent.relative_to(ROOT / "evals").as_posix() for path in (ROOT / "evals").glob("*/*/TASK.txt"))
    assert sorted(row["id"] for row in json.loads(done.stdout)) == here, done.stderr


def test_it_grades_from_any_folder(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "run", "fundamentals/empty_functions", "-m", "answer", "--out", "runs")
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = next((tmp_path / "runs").rglob("trials.jsonl")).read_text(encoding="utf-8").splitlines()
    trial = json.loads(line)
    assert trial["outcome"] == "passed", trial["score"]
    said = run(installed, tmp_path, "prompt", "fundamentals/empty_functions")
    assert (installed / "convex_evals" / "_content" / "guidelines").is_dir()
    assert "guidelines" in said.stdout.lower()
