"""What the commands print and how they end, with the models that ship; one process each, as people run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import run

from convex_evals.suite import find, load_suite

EMPTY = find(load_suite(), "fundamentals/empty_functions")


def script(folder: Path, **steps: object) -> str:
    """A scripted model, by its name."""
    (folder / "script.json").write_text(json.dumps({key.replace("__", "/"): value for key, value in steps.items()}))
    return "scripted/script.json"


BAD = [
    (["run", "-m", "gpt-5"], 2, "convex-evals models"),
    (["run", "-m", "nobody/x"], 2, "convex-evals models"),
    (["run", "nosuch"], 2, "no eval 'nosuch'"),
    (["run", "--category", "nosuch"], 2, "there are: fundamentals"),
    (["run", "--filter", "("], 2, "no regular expression"),
    (["run", "--suite", "nosuch"], 2, "no such folder"),
    (["run", "-m", "replay/nosuch"], 2, "no such folder of recorded replies"),
    (["run", "-m", "scripted/nosuch.json"], 2, "cannot be read as a script"),
    (["run", "--guidelines-from", "nosuch"], 2, "no such folder of guidelines"),
    (["run", "--prices", "nosuch"], 2, "cannot be read"),
    (["run", "--epochs", "0"], 2, "--epochs"),
    (["run", "--failed"], 2, "no run of answer"),
    (["run", "--nosuch"], 2, "No such option"),
    (["nosuch"], 2, "No such command"),
    (["try", "nosuch"], 2, "no eval 'nosuch'"),
    (["grade", "nosuch"], 2, "no run"),
    (["grade", "--eval", "crons", "nosuch"], 2, "no such folder"),
    (["grade", "--eval", "nosuch", "."], 2, "no eval 'nosuch'"),
    (["show", "crons"], 2, "no runs in runs"),
    (["status", "nosuch"], 2, "no run"),
]


@pytest.mark.parametrize(
    ("words", "code", "message"), BAD, ids=lambda part: " ".join(part) if isinstance(part, list) else ""
)
def test_bad_input_is_told_in_a_line(words: list[str], code: int, message: str, tmp_path: Path) -> None:
    done = run(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) <= 6


def test_a_run_is_stored_listed_shown_and_only_printed_again(tmp_path: Path) -> None:
    words = ("run", "empty_functions", "-m", "answer", "-m", "empty", "--both")
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "fundamentals" in done.stdout
    assert "1/1 100%" in done.stdout
    assert "[4] empty, without guidelines: runs/empty.none." in done.stdout
    assert "passed  fundamentals/empty_functions  answer (guidelines)" in done.stderr
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")}
    again = run(*words, cwd=tmp_path)
    assert again.stdout == done.stdout
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")} == before
    listed = run("status", cwd=tmp_path).stdout.splitlines()
    assert len(listed) == 4
    assert all(line.endswith("complete") for line in listed)
    shown = run("show", "empty_functions", "--run", "answer.none", cwd=tmp_path).stdout
    assert "the files equal the reference answer" in shown
    stored = run("show", "empty_functions", "--run", "empty.none", "--json", cwd=tmp_path).stdout
    assert json.loads(stored)["outcome"] == "failed"
    fresh = run("run", "empty_functions", "--no-guidelines", "--fresh", "--json", cwd=tmp_path)
    (summary,) = json.loads(fresh.stdout)["runs"]
    assert summary["id"].endswith("-2")
    assert fresh.stderr == ""


def test_fail_under_and_failed(tmp_path: Path) -> None:
    model = script(tmp_path, fundamentals__crons=[{"text": "No."}], **{"*": [{"answer": True}]})
    words = ("run", "-m", model, "--category", "fundamentals", "--json")
    assert run(*words, "--fail-under", "50", cwd=tmp_path).returncode == 0
    assert run(*words, "--fail-under", "51", cwd=tmp_path).returncode == 1
    script(tmp_path, **{"*": [{"answer": True}]})
    again = run(*words, "--failed", cwd=tmp_path)
    (summary,) = json.loads(again.stdout)["runs"]
    assert (again.returncode, summary["planned"], summary["passed"]) == (0, 1, 1)
    nothing = run("run", "-m", model, "--category", "fundamentals", "--failed", cwd=tmp_path)
    assert nothing.returncode == 0
    assert "nothing failed" in nothing.stderr


def test_replay_runs_what_is_recorded_and_says_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "replies" / "fundamentals").mkdir(parents=True)
    (tmp_path / "replies" / "fundamentals" / "crons.md").write_text("Nothing.")
    done = run("run", "-m", "replay/replies", "--category", "fundamentals", "--json", cwd=tmp_path)
    (summary,) = json.loads(done.stdout)["runs"]
    assert (summary["planned"], summary["failed"]) == (1, 1)
    told = run("run", "-m", "replay/replies", "--category", "fundamentals", cwd=tmp_path)
    assert "1 evals are recorded there; 1 others are left out" in told.stderr


def test_grade_a_folder(tmp_path: Path) -> None:
    good = run("grade", "--eval", EMPTY.id, str(EMPTY.path / "answer"), cwd=tmp_path)
    assert (good.returncode, good.stdout.splitlines()[0]) == (0, f"{EMPTY.id}: PASSED")
    bad = run("grade", "--eval", EMPTY.id, str(find(load_suite(), "crons").path / "answer"), "--json", cwd=tmp_path)
    score = json.loads(bad.stdout)
    assert (bad.returncode, score["passed"]) == (1, False)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "secret.ts").symlink_to("/etc/hostname")
    refused = run("grade", "--eval", EMPTY.id, str(linked), cwd=tmp_path)
    assert refused.returncode == 1
    assert "it is a link" in refused.stdout


def test_grading_a_run_again_uses_the_evals_of_today(tmp_path: Path) -> None:
    folder = tmp_path / "suite" / "fundamentals" / "empty_functions"
    folder.parent.mkdir(parents=True)
    import shutil

    shutil.copytree(EMPTY.path, folder)
    first = run("run", "--suite", "suite", "--no-guidelines", "--json", cwd=tmp_path)
    (summary,) = json.loads(first.stdout)["runs"]
    assert summary["passed"] == 1
    in_place = run("grade", summary["id"], "--suite", "suite", "--json", cwd=tmp_path)
    assert json.loads(in_place.stdout)["id"] == summary["id"]
    stricter = (
        '\n\nasync def test_never(g: Grading) -> None:\n    """Nothing is good enough."""\n    assert False, "never"\n'
    )
    (folder / "grader.py").write_text((folder / "grader.py").read_text() + stricter)
    again = json.loads(run("grade", summary["id"], "--suite", "suite", "--json", cwd=tmp_path).stdout)
    assert again["id"] != summary["id"]
    assert (again["passed"], again["failed"]) == (0, 1)
    assert len(run("status", cwd=tmp_path).stdout.splitlines()) == 2
    other = run("grade", summary["id"], cwd=tmp_path)
    assert other.returncode == 2
    assert "--suite" in other.stderr


def test_try_shows_both_conditions_side_by_side(tmp_path: Path) -> None:
    model = script(tmp_path, **{"*": [{"text": "### convex/index.ts\n```ts\nexport const wrong = 1;\n```\n"}]})
    done = run("try", "empty_functions", "-m", model, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "with guidelines" in done.stdout
    assert "without guidelines" in done.stdout
    row = next(line for line in done.stdout.splitlines() if "export const wrong" in line)
    assert row.count("export const wrong = 1;") == 2
    assert [run("status", "--out", out, cwd=tmp_path).stdout.count("\n") for out in ("runs", "runs/try")] == [1, 2]


def test_models_says_what_works_here(tmp_path: Path) -> None:
    keys = {"OPENAI_API_KEY": "secret-value"}
    text = run("models", cwd=tmp_path, more=keys)
    assert (text.returncode, text.stderr) == (0, "")
    assert "key found in OPENAI_API_KEY" in text.stdout
    assert "set ANTHROPIC_API_KEY" in text.stdout
    assert "secret-value" not in text.stdout
    data = json.loads(run("models", "--json", cwd=tmp_path, more=keys).stdout)
    assert {row["name"]: row["ready"] for row in data["providers"]}["openai"] is True
    assert data["offline"][0] == "answer"
