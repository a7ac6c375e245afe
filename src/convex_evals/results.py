"""Our results on disk: what a run folder holds, how it is written so that nothing finished is lost, and how it is read.

    <runs>/<run id>/run.json        the Run, written once
                    replies.jsonl   what the model said, fsynced before it is graded
                    trials.jsonl    one line a trial; the last line of an (eval, epoch) counts
                    lock            held by the one process that writes
                    inspect/        the harness's own logs, read by nobody here

Site, statistics and tuner read only this. Knows neither models nor grading nor how a result is shown.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from convex_evals.errors import UsageError
from convex_evals.filelock import FileLock
from convex_evals.types import Reply, Run, Trial

SCHEMA_VERSION = 1
RUN_FILE, REPLIES_FILE, TRIALS_FILE, LOCK_FILE = "run.json", "replies.jsonl", "trials.jsonl", "lock"
INSPECT_FOLDER = "inspect"

T = TypeVar("T")


@dataclass(frozen=True)
class ReplyKey:
    """What makes two generations the same generation."""

    model: str
    settings: str
    """Hash of the generation settings."""
    prompt: str
    """Hash of the messages."""
    eval_id: str
    epoch: int


@dataclass(frozen=True)
class StoredReply:
    """One line of replies.jsonl."""

    key: ReplyKey
    reply: Reply


@dataclass(frozen=True)
class RunRecord:
    """A run as it is on disk."""

    path: Path
    run: Run
    trials: tuple[Trial, ...]
    """The last trial of each (eval, epoch), in the order of the plan."""

    @property
    def planned(self) -> int:
        return len(self.run.evals) * self.run.epochs

    @property
    def scored(self) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.score is not None)

    @property
    def errors(self) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.score is None)

    @property
    def complete(self) -> bool:
        """Every planned trial has a verdict; otherwise the result has no rank."""
        return len(self.scored) == self.planned

    @cached_property
    def missing(self) -> tuple[tuple[str, int], ...]:
        """Planned (eval, epoch) without a verdict: never tried, or an error."""
        done = {(trial.eval_id, trial.epoch) for trial in self.scored}
        return tuple(key for key in _plan(self.run) if key not in done)

    @property
    def failed_evals(self) -> tuple[str, ...]:
        """Evals that did not pass in some epoch, be it for an error or because it was never reached."""
        passed = {(trial.eval_id, trial.epoch) for trial in self.scored if trial.outcome == "passed"}
        return tuple(dict.fromkeys(eval_id for eval_id, epoch in _plan(self.run) if (eval_id, epoch) not in passed))


class RunFolder:
    """A run that this process may write. Use as a context manager: it holds the lock."""

    def __init__(self, path: Path, run: Run) -> None:
        self.path = path
        self.run = run
        with ExitStack() as opened:
            lock = FileLock(path / LOCK_FILE)
            opened.callback(lock.release)
            _mend_last_line(path / REPLIES_FILE)
            _mend_last_line(path / TRIALS_FILE)
            self._replies = {line.key: line.reply for line in _read_lines(path / REPLIES_FILE, StoredReply)}
            self._trials = {(line.eval_id, line.epoch): line for line in _read_lines(path / TRIALS_FILE, Trial)}
            self._replies_file = opened.enter_context(open(path / REPLIES_FILE, "ab"))
            self._trials_file = opened.enter_context(open(path / TRIALS_FILE, "ab"))
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._opened.close()

    def reply(self, key: ReplyKey) -> Reply | None:
        """The stored reply to exactly this generation."""
        return self._replies.get(key)

    def add_reply(self, key: ReplyKey, reply: Reply) -> Reply:
        """Store a reply; on disk for good when this returns. Returns the reply as stored."""
        kept: Reply = msgspec.convert(_clean(msgspec.to_builtins(reply)), Reply)
        self._append(self._replies_file, StoredReply(key, kept))
        self._replies[key] = kept
        return kept

    def trial(self, eval_id: str, epoch: int) -> Trial | None:
        """The last trial of this eval and epoch."""
        return self._trials.get((eval_id, epoch))

    def add_trial(self, trial: Trial) -> None:
        """Store a trial; on disk for good when this returns."""
        derived: dict[str, Any] = {"schema": SCHEMA_VERSION, "outcome": trial.outcome}
        if trial.score is not None:
            derived["fraction"] = trial.score.fraction
        self._append(self._trials_file, msgspec.to_builtins(trial) | derived)
        self._trials[trial.eval_id, trial.epoch] = trial

    @property
    def is_new(self) -> bool:
        """Nothing is stored yet."""
        return not self._replies and not self._trials

    def take_replies(self, other: Path) -> int:
        """Copy the replies of another run folder that this one does not have; returns how many."""
        missing = [line for line in _read_lines(other / REPLIES_FILE, StoredReply) if line.key not in self._replies]
        for line in missing:
            self.add_reply(line.key, line.reply)
        return len(missing)

    def record(self) -> RunRecord:
        """What is stored so far."""
        return _record(self.path, self.run, self._trials)

    @staticmethod
    def _append(file: Any, line: Any) -> None:
        file.write(msgspec.json.encode(_clean(msgspec.to_builtins(line))) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def open_run(runs: Path, run: Run, fresh: bool = False) -> RunFolder:
    """The folder of a run that has no id yet: the same plan finds the same folder, so the same command continues.

    `fresh` starts another run of the same plan, unless the last one is unfinished. Raises UsageError when another
    process is writing the run.
    """
    base = f"{_slug(run.model)}.{run.condition}.{plan_hash(run)[:8]}"
    number = 1
    while (runs / _numbered(base, number + 1) / RUN_FILE).is_file():
        number += 1
    folder = runs / _numbered(base, number)
    if fresh and (folder / RUN_FILE).is_file() and read_run(folder).complete:
        folder = runs / _numbered(base, number + 1)
    if not (folder / RUN_FILE).is_file():
        _create(folder, dataclasses.replace(run, id=folder.name))
    return reopen_run(folder)


def reopen_run(folder: Path) -> RunFolder:
    """An existing run, to be written."""
    return RunFolder(folder, _read_header(folder))


def plan_hash(run: Run) -> str:
    """SHA-256 over all of a run but its name and its start."""
    plan = msgspec.to_builtins(dataclasses.replace(run, id="", started=""))
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Hash of generation settings, the same for equal settings."""
    return hashlib.sha256(json.dumps(dict(settings), sort_keys=True).encode()).hexdigest()[:16]


def read_run(folder: Path) -> RunRecord:
    """A run from its folder. A line that a crash cut off is passed over; any other damage raises UsageError."""
    run = _read_header(folder)
    trials = {(line.eval_id, line.epoch): line for line in _read_lines(folder / TRIALS_FILE, Trial)}
    return _record(folder, run, trials)


def read_runs(runs: Path) -> tuple[RunRecord, ...]:
    """Every run below a folder, the oldest first."""
    folders = [path.parent for path in runs.glob(f"*/{RUN_FILE}")] if runs.is_dir() else []
    return tuple(
        sorted((read_run(folder) for folder in folders), key=lambda record: (record.run.started, record.run.id))
    )


def find_run(runs: Path, name: str | None = None) -> RunRecord:
    """One run by id or by path; else the latest of those whose id begins with the name, or of all."""
    if name is not None:
        for folder in (runs / name, Path(name)):
            if (folder / RUN_FILE).is_file():
                return read_run(folder)
    records = [record for record in read_runs(runs) if name is None or record.run.id.startswith(name)]
    if not records:
        raise UsageError(f"no run {name!r} in {runs}" if name else f"no runs in {runs}; `convex-evals run` makes one")
    return records[-1]


def json_schema() -> dict[str, Any]:
    """JSON Schema of run.json, of a line of trials.jsonl and of a line of replies.jsonl."""
    (run, trial, reply), definitions = msgspec.json.schema_components(
        (Run, Trial, StoredReply), ref_template="#/$defs/{name}"
    )
    properties = definitions["Trial"]["properties"]
    properties["schema"] = {"const": SCHEMA_VERSION, "description": "version of this schema"}
    properties["outcome"] = {"enum": ["passed", "failed", "error"], "description": "follows from score and error"}
    properties["fraction"] = {
        "type": "number",
        "description": "behaviour tests passed of all declared",
    }
    files = {RUN_FILE: run, TRIALS_FILE: trial, REPLIES_FILE: reply}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "files": files, "$defs": definitions}


def _record(path: Path, run: Run, trials: Mapping[tuple[str, int], Trial]) -> RunRecord:
    return RunRecord(path, run, tuple(trials[key] for key in _plan(run) if key in trials))


def _plan(run: Run) -> Iterator[tuple[str, int]]:
    return ((eval_id, epoch) for eval_id in run.evals for epoch in range(1, run.epochs + 1))


def _slug(model: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", model).strip("-")[-60:].strip("-") or "model"


def _numbered(base: str, number: int) -> str:
    return base if number == 1 else f"{base}-{number}"


def _create(folder: Path, run: Run) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / (RUN_FILE + ".partial")
    with open(partial, "wb") as file:
        file.write(
            msgspec.json.format(msgspec.json.encode({"schema": SCHEMA_VERSION} | msgspec.to_builtins(run))) + b"\n"
        )
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / RUN_FILE)


def _read_header(folder: Path) -> Run:
    path = folder / RUN_FILE
    try:
        body = path.read_bytes()
        version = msgspec.json.decode(body, type=dict[str, Any]).get("schema")
        if version != SCHEMA_VERSION:
            raise UsageError(f"{path}: schema {version}, this version of convex-evals reads {SCHEMA_VERSION}")
        return msgspec.json.decode(body, type=Run)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is damaged: {error}") from error


def _read_lines(path: Path, kind: type[T]) -> Iterator[T]:
    if not path.is_file():
        return
    decoder = msgspec.json.Decoder(kind)
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                if not line.endswith(b"\n"):
                    return
                raise UsageError(f"{path}, line {number} is damaged: {error}") from error


def _mend_last_line(path: Path) -> None:
    """Cut off what a crash left unfinished, so that the next line starts on a line of its own."""
    if not path.is_file():
        return
    with open(path, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        keep = size
        while keep:
            start = max(0, keep - 65_536)
            file.seek(start)
            newline = file.read(keep - start).rfind(b"\n")
            if newline >= 0:
                keep = start + newline + 1
                break
            keep = start
        if keep != size:
            file.truncate(keep)


def _clean(value: Any) -> Any:
    """Lone surrogates, which hostile output may carry and JSON in UTF-8 cannot, become U+FFFD."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
