"""`run` as people use it: a process of its own, real streaming HTTP, providers that misbehave, kills in the middle."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from command import run, start, wait_for
from openai_server import OpenAIServer, Say, openai_server

from convex_evals.harness.offline import render_files
from convex_evals.suite import find, load_suite
from convex_evals.types import Eval
from convex_evals.workspace import read_folder

SUITE = load_suite()
EVALS = [
    find(SUITE, name)
    for name in (
        *("fundamentals/empty_functions", "fundamentals/crons", "actions/node_action", "actions/text_in_storage"),
    )
]
IDS = [ev.id for ev in EVALS]
MODEL = ("-m", "openai-api/local/tiny", "--no-guidelines")


def asked(prompt: str) -> Eval:
    """The eval that a prompt is about."""
    (ev,) = (ev for ev in EVALS if ev.task.strip() in prompt)
    return ev


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def stored(folder: Path, name: str) -> list[dict[str, Any]]:
    return [line for path in folder.glob(f"runs/*/{name}") for line in lines(path)]


def local(server: OpenAIServer) -> dict[str, str]:
    return {"LOCAL_BASE_URL": server.url, "LOCAL_API_KEY": "k"}


def test_faults_end_as_what_they_are(tmp_path: Path) -> None:
    def answer(prompt: str, n: int) -> Say:
        ev = asked(prompt)
        if ev.id == "fundamentals/empty_functions":
            told = {"retry-after": "1"}
            return Say(status=429, headers=told) if n == 1 else Say(render_files(read_folder(ev.path / "answer")))
        if ev.id == "fundamentals/crons":
            return Say(status=400, error={"message": "too long", "code": "context_length_exceeded"})
        if ev.id == "actions/node_action":
            return Say("x" * 900, cut_after=400) if n == 1 else Say("### convex/index.ts\n```ts\ncut", finish="length")
        return [Say(raw='{"choices": null}'), Say(status=500), Say("I would rather not.")][min(n, 3) - 1]

    with openai_server(answer) as server:
        done = run("run", *IDS, *MODEL, "--json", cwd=tmp_path, more=local(server))
    assert done.returncode == 3, done.stderr
    (summary,) = json.loads(done.stdout)["runs"]
    assert (summary["passed"], summary["failed"], summary["errors"]) == (1, 2, 1)
    assert summary["errors_by_cause"] == {"context_overflow": 1}
    assert (summary["complete"], summary["pass_rate"], summary["cost_usd"]) == (False, 0.25, None)
    assert (summary["input_tokens"], summary["output_tokens"]) == (300, 60)
    requests = Counter(asked(prompt).id for prompt in server.prompts)
    assert requests == dict(zip(IDS, (2, 1, 2, 3), strict=True))

    trials = {trial["eval_id"]: trial for trial in stored(tmp_path, "trials.jsonl")}
    assert [trials[eval_id]["outcome"] for eval_id in IDS] == ["passed", "error", "failed", "failed"]
    checks = {name: trials[name]["score"]["checks"][0] for name in IDS if trials[name]["score"]}
    assert "truncated" in checks["actions/node_action"]["detail"]
    assert "holds no file" in checks["actions/text_in_storage"]["detail"]
    assert trials["actions/node_action"]["submission"]["reply"]["stop"] == "length"
    assert len(stored(tmp_path, "replies.jsonl")) == 3

    failed = run("status", "--failed", cwd=tmp_path).stdout
    assert "fundamentals/crons #1  error  error: context_overflow" in failed
    assert "3 of 4 did not pass" in failed
    shown = run("show", "node_action", "--reply", cwd=tmp_path).stdout
    assert "FAILED" in shown
    assert "--- expected/convex/index.ts" in shown
    assert "+cut" in shown


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_and_continued_without_a_repeated_generation(tmp_path: Path, how: signal.Signals) -> None:
    free = threading.Event()
    slow = set(IDS[2:])

    def answer(prompt: str, n: int) -> Say:
        return Say("No files.", wait_for=free if asked(prompt).id in slow else None)

    command = ("run", *IDS, *MODEL)
    with openai_server(answer) as server:
        first = start(*command, cwd=tmp_path, more=local(server))
        wait_for(lambda: len(stored(tmp_path, "replies.jsonl")) == 2 and len(server.prompts) == 4, "two replies stored")
        if how == signal.SIGINT:
            wait_for(lambda: len(stored(tmp_path, "trials.jsonl")) == 2, "two verdicts stored")
            first.send_signal(how)
        else:
            os.killpg(first.pid, how)
        out, err = first.communicate(timeout=60)
        assert first.returncode == (3 if how == signal.SIGINT else -signal.SIGKILL), out + err
        assert "Traceback" not in err
        free.set()
        second = run(*command, "--json", cwd=tmp_path, more=local(server))
    assert second.returncode == 0, second.stderr
    requests = Counter(asked(prompt).id for prompt in server.prompts)
    assert requests == dict(zip(IDS, (1, 1, 2, 2), strict=True))
    (summary,) = json.loads(second.stdout)["runs"]
    assert (summary["failed"], summary["complete"]) == (4, True)
    assert len(list(tmp_path.glob("runs/*"))) == 1


def test_replies_of_an_unfinished_run_outlive_a_change_of_the_evals(tmp_path: Path) -> None:
    for ev in EVALS[:2]:
        shutil.copytree(ev.path, tmp_path / "suite" / ev.id)
    overflow = Say(status=400, error={"message": "too long", "code": "context_length_exceeded"})
    command = ("run", *MODEL, "--suite", "suite")
    with openai_server(lambda prompt, n: overflow if asked(prompt).id == IDS[1] else Say("No.")) as server:
        assert run(*command, cwd=tmp_path, more=local(server)).returncode == 3
        with (tmp_path / "suite" / IDS[0] / "grader.py").open("a") as grader:
            grader.write("# mended\n")
        server.answer = lambda prompt, n: Say("No.")
        second = run(*command, cwd=tmp_path, more=local(server))
    assert second.returncode == 0, second.stderr
    assert "1 replies of the unfinished" in second.stderr
    assert Counter(asked(prompt).id for prompt in server.prompts) == {IDS[0]: 1, IDS[1]: 2}
    assert len(list(tmp_path.glob("runs/*"))) == 2


def test_one_process_writes_a_run_and_the_other_says_so(tmp_path: Path) -> None:
    free = threading.Event()
    with openai_server(lambda prompt, n: Say("No.", wait_for=free)) as server:
        first = start("run", IDS[0], *MODEL, cwd=tmp_path, more=local(server))
        wait_for(lambda: len(server.prompts) == 1, "the first request")
        second = run("run", IDS[0], *MODEL, cwd=tmp_path, more=local(server))
        free.set()
        first.communicate(timeout=120)
    assert second.returncode == 2
    assert f"being written by another process (pid {first.pid})" in second.stderr
    assert first.returncode == 0


def test_keys_come_from_a_file_and_a_missing_one_is_named(tmp_path: Path) -> None:
    missing = run("run", IDS[0], *MODEL, cwd=tmp_path)
    assert missing.returncode == 4
    assert "LOCAL_API_KEY" in missing.stderr
    with openai_server(lambda prompt, n: Say("No.")) as server:
        (tmp_path / ".env").write_text(f"LOCAL_API_KEY=secret-value\nLOCAL_BASE_URL={server.url}\n")
        done = run("run", IDS[0], *MODEL, "--max-tokens", "50", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert server.bodies[0]["max_tokens"] == 50
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("runs/**/*") if path.is_file())
    assert b"secret-value" not in everything


def test_help_answers_at_once() -> None:
    def seconds() -> float:
        before = os.times()
        words = [os.sys.executable, "-m", "convex_evals.cli", "--help"]  # type: ignore[attr-defined]
        subprocess.run(words, check=True, capture_output=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(seconds() for _ in range(3)) < 0.3, "processor time, so that a busy machine does not decide"
