"""What the models that need no provider say: the reference, nothing, recorded replies, a script. Knows no Inspect."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from convex_evals.errors import CAUSES, ProviderRefused, TrialFailed, UsageError
from convex_evals.paths import is_generated, refusal
from convex_evals.types import Eval, Files, Reply, StopReason
from convex_evals.workspace import read_folder

OFFLINE_MODELS = ("answer", "empty", "replay", "scripted")


@dataclass(frozen=True)
class Asked:
    """What an offline model needs to know of the question beyond its words."""

    eval_id: str
    epoch: int
    answer: Path
    """The reference project."""


class OfflineModel(Protocol):
    """A model without a provider."""

    def reply(self, asked: Asked) -> Reply: ...


class Answer:
    """The oracle: the reference project, said as a model would say it."""

    def reply(self, asked: Asked) -> Reply:
        return Reply(render_files(read_folder(asked.answer)))


class Empty:
    """Says nothing at all."""

    def reply(self, asked: Asked) -> Reply:
        return Reply("")


class Replay:
    """Recorded replies: `<folder>/<category>/<name>.md`, for a later epoch `<name>.<epoch>.md` where there is one."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"replay/{folder}: no such folder of recorded replies")
        self._folder = folder

    def file(self, eval_id: str, epoch: int) -> Path | None:
        """The recording for an eval and epoch, None when there is none."""
        exact, first = (self._folder / f"{eval_id}{suffix}.md" for suffix in (f".{epoch}", ""))
        return exact if exact.is_file() else first if first.is_file() else None

    def reply(self, asked: Asked) -> Reply:
        path = self.file(asked.eval_id, asked.epoch)
        if path is None:
            raise ProviderRefused(f"no reply is recorded at {self._folder / asked.eval_id}.md")
        return Reply(path.read_text(encoding="utf-8"))


class Scripted:
    """Says, call by call, what a JSON file lists for each eval id, or for "*":

        {"*": [{"error": "provider_unavailable"}, {"text": "…", "stop": "length"}, {"answer": true}]}

    The last step repeats. `error` is a cause of errors.CAUSES; `answer` says what the oracle says.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._steps: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"scripted/{path}: cannot be read as a script: {error}") from error
        if not isinstance(self._steps, dict) or not all(isinstance(s, list) and s for s in self._steps.values()):
            raise UsageError(f"scripted/{path}: a script maps eval ids to lists of steps")
        self._calls: Counter[tuple[str, int]] = Counter()

    def reply(self, asked: Asked) -> Reply:
        steps = self._steps.get(asked.eval_id) or self._steps.get("*")
        if not steps:
            raise ProviderRefused(f"the script says nothing for {asked.eval_id}")
        key = (asked.eval_id, asked.epoch)
        step = steps[min(self._calls[key], len(steps) - 1)]
        self._calls[key] += 1
        if "error" in step:
            raise _error_named(step["error"])(f"scripted: {step['error']}")
        if step.get("answer"):
            return Answer().reply(asked)
        stop: StopReason = step.get("stop", "stop")
        return Reply(str(step.get("text", "")), stop=stop)


def render_files(files: Files) -> str:
    """A project as a reply that the parser reads back: a heading and a fence for each file."""
    parts = []
    for path, text in files.items():
        if refusal(path) is None and not is_generated(path):
            parts.append(f"### {path}\n\n{_fenced(text)}")
    return "\n\n".join(parts) + "\n"


def _fenced(text: str) -> str:
    longest = max((len(line) - len(line.lstrip("`")) for line in map(str.lstrip, text.splitlines())), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{fence}"


def recorded(model: str, evals: Sequence[Eval], epochs: int) -> tuple[Eval, ...]:
    """The evals that a model can be asked: all, or for `replay/<folder>` those with a recording for every epoch."""
    provider, _, name = model.partition("/")
    if provider != "replay":
        return tuple(evals)
    replay = Replay(Path(name))
    return tuple(ev for ev in evals if all(replay.file(ev.id, epoch) for epoch in range(1, epochs + 1)))


def _error_named(cause: str) -> type[TrialFailed]:
    for kind, row in CAUSES.items():
        if row.name == cause:
            return kind
    raise UsageError(f"scripted: no cause {cause!r}; there are: {', '.join(row.name for row in CAUSES.values())}")
