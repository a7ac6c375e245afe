"""What is stored survives crashes, is found again by the same plan, and is written by one process at a time."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest
from worlds import make_run, make_trial

from convex_evals.errors import UsageError
from convex_evals.results import (
    REPLIES_FILE,
    RUN_FILE,
    TRIALS_FILE,
    ReplyKey,
    find_run,
    json_schema,
    open_run,
    read_run,
    read_runs,
    reopen_run,
)
from convex_evals.types import Reply, TrialError, Usage

KEY = ReplyKey("answer", "s", "p", "queries/a", 1)


def test_same_plan_continues_and_another_plan_does_not(tmp_path: Path) -> None:
    with open_run(tmp_path, make_run()) as folder:
        folder.add_reply(KEY, Reply("text", usage=Usage(1, 2)))
        folder.add_trial(make_trial())
        first = folder.run.id
    later = dataclasses.replace(make_run(), started="2026-11-23T00:00:00Z")
    with open_run(tmp_path, later) as folder:
        assert folder.run.id == first
        assert folder.reply(KEY) == Reply("text", usage=Usage(1, 2))
        assert folder.trial("queries/a", 1) == make_trial()
        assert folder.record().missing == (("queries/b", 1),)
    for change in ({"model": "b"}, {"epochs": 2}, {"settings": {"temperature": 1}}, {"suite_hash": "i"}):
        with open_run(tmp_path, dataclasses.replace(make_run(), **change)) as folder:  # type: ignore[arg-type]
            assert folder.run.id != first
            assert folder.record().trials == ()


def test_fresh_starts_again_only_after_a_complete_run(tmp_path: Path) -> None:
    run = make_run(evals=("queries/a",))
    with open_run(tmp_path, run, fresh=True) as folder:
        first = folder.run.id
    with open_run(tmp_path, run, fresh=True) as folder:
        assert folder.run.id == first
        folder.add_trial(make_trial())
    with open_run(tmp_path, run) as folder:
        assert folder.run.id == first
    with open_run(tmp_path, run, fresh=True) as folder:
        assert folder.run.id == first + "-2"
        folder.add_trial(make_trial())
    with open_run(tmp_path, run) as folder:
        assert folder.run.id == first + "-2"


def test_last_line_of_an_epoch_counts_and_errors_are_not_verdicts(tmp_path: Path) -> None:
    with open_run(tmp_path, make_run()) as folder:
        failed = dataclasses.replace(make_trial(), score=None, error=TrialError("provider_unavailable", "503"))
        folder.add_trial(failed)
        assert folder.record().errors == (failed,)
        assert folder.record().missing == (("queries/a", 1), ("queries/b", 1))
        folder.add_trial(make_trial())
        folder.add_trial(make_trial("queries/b", passed=False))
        path = folder.path
    record = read_run(path)
    assert record.complete
    assert record.errors == ()
    assert record.failed_evals == ("queries/b",)
    assert [trial.outcome for trial in record.trials] == ["passed", "failed"]


@pytest.mark.parametrize("cut", [1, 20, 200])
@pytest.mark.parametrize("name", [TRIALS_FILE, REPLIES_FILE])
def test_torn_last_line_is_passed_over_and_mended(tmp_path: Path, name: str, cut: int) -> None:
    with open_run(tmp_path, make_run()) as folder:
        for eval_id in ("queries/a", "queries/b"):
            folder.add_reply(dataclasses.replace(KEY, eval_id=eval_id), Reply("x" * 500))
            folder.add_trial(make_trial(eval_id))
        path = folder.path
    body = (path / name).read_bytes()
    (path / name).write_bytes(body[:-cut])
    survivors = 2 if cut == 1 and name == TRIALS_FILE else 1
    if name == TRIALS_FILE:
        assert len(read_run(path).trials) == survivors
    with reopen_run(path) as folder:
        assert folder.reply(KEY) == Reply("x" * 500)
        folder.add_reply(dataclasses.replace(KEY, eval_id="queries/b"), Reply("again"))
        folder.add_trial(make_trial("queries/b"))
    assert read_run(path).complete
    assert all(json.loads(line) for line in (path / name).read_text().splitlines())


def test_damage_elsewhere_is_named(tmp_path: Path) -> None:
    with open_run(tmp_path, make_run()) as folder:
        folder.add_trial(make_trial())
        path = folder.path
    (path / TRIALS_FILE).write_bytes(b"{nonsense\n" + (path / TRIALS_FILE).read_bytes())
    with pytest.raises(UsageError, match="line 1 is damaged"):
        read_run(path)
    header = json.loads((path / RUN_FILE).read_text())
    (path / RUN_FILE).write_text(json.dumps(header | {"schema": 99}))
    with pytest.raises(UsageError, match="schema 99"):
        read_run(path)
    (path / RUN_FILE).write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        read_run(path)


def test_one_process_writes(tmp_path: Path) -> None:
    with open_run(tmp_path, make_run()) as folder:
        code = (
            "import sys; from pathlib import Path; from convex_evals.results import reopen_run\n"
            "from convex_evals.errors import UsageError\n"
            "try: reopen_run(Path(sys.argv[1]))\n"
            "except UsageError as error: print(error); sys.exit(7)\n"
        )
        done = subprocess.run([sys.executable, "-c", code, folder.path], capture_output=True, text=True, check=False)
        assert done.returncode == 7
        assert f"being written by another process (pid {os.getpid()})" in done.stdout
    with reopen_run(folder.path):
        pass


def test_hostile_text_is_stored(tmp_path: Path) -> None:
    with open_run(tmp_path, make_run()) as folder:
        kept = folder.add_reply(KEY, Reply("a\ud800b\u2028\x00😀"))
        assert folder.reply(KEY) == kept
        folder.add_trial(dataclasses.replace(make_trial(), error=TrialError("internal", "\udfff")))
        path = folder.path
    assert kept.text == "a\ufffdb\u2028\x00😀"
    with reopen_run(path) as folder:
        assert folder.reply(KEY) == kept
    assert read_run(path).trials[0].error == TrialError("internal", "\ufffd")


def test_runs_are_found(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="convex-evals run"):
        find_run(tmp_path)
    for model, started in (("a", "2026-01-01"), ("b", "2026-01-02")):
        with open_run(tmp_path, dataclasses.replace(make_run(model=model), started=started)):
            pass
    assert [record.run.model for record in read_runs(tmp_path)] == ["a", "b"]
    assert find_run(tmp_path).run.model == "b"
    assert find_run(tmp_path, "a.none").run.model == "a"
    assert find_run(tmp_path, str(find_run(tmp_path).path)).run.model == "b"
    with pytest.raises(UsageError, match="no run 'zz'"):
        find_run(tmp_path, "zz")
    with open_run(tmp_path, dataclasses.replace(make_run(model="a", epochs=2), started="2026-01-03")) as folder:
        assert find_run(tmp_path, "a.none").run.id == folder.run.id


def test_stored_lines_meet_the_exported_schema(tmp_path: Path) -> None:
    with open_run(tmp_path, make_run()) as folder:
        folder.add_reply(KEY, Reply("text", usage=Usage(1, 2)))
        folder.add_trial(make_trial(passed=False))
        folder.add_trial(dataclasses.replace(make_trial("queries/b"), score=None, error=TrialError("internal", "m")))
        path = folder.path
    schema = json_schema()
    for name in (RUN_FILE, TRIALS_FILE, REPLIES_FILE):
        lines = (
            [path.joinpath(name).read_bytes()] if name == RUN_FILE else path.joinpath(name).read_bytes().splitlines()
        )
        for line in lines:
            jsonschema.validate(msgspec.json.decode(line), schema["files"][name] | {"$defs": schema["$defs"]})
    first = json.loads(path.joinpath(TRIALS_FILE).read_text().splitlines()[0])
    assert (first["schema"], first["outcome"], first["fraction"]) == (1, "failed", 0.5)
