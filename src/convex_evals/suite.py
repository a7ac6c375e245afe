"""Folders → evals, in the native and in the public layout; choosing among them; hashing what decides a verdict.

Native: `evals/<category>/<name>/` with TASK.txt, eval.toml, answer/, grader.py.
Public: `<suite>/<NNN-category>/<NNN-name>/` with TASK.txt, answer/, grader.test.ts and perhaps eval.json.
It reads folders and knows neither models nor grading.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convex_evals.errors import SetupError, UsageError
from convex_evals.types import CATEGORIES, CHECKS, CheckName, Eval, Expectation

TASK_FILE = "TASK.txt"
NATIVE_FILE = "eval.toml"
PUBLIC_FILE = "eval.json"
_PREFIX = re.compile(r"^\d+[-_]")
_SKIPPED_FOLDERS = frozenset({"node_modules", "_generated", "__pycache__", ".git"})
_NO_VERDICT = frozenset({"wrong", "right"})
_KEYS = frozenset({"why", "api", "family", "split", "needs", "network", "env", "expect", "checks", "remove"})
_SPLITS = ("train", "validation", "held_out")


@dataclass(frozen=True)
class Suite:
    """A folder of evals."""

    name: str
    path: Path
    evals: tuple[Eval, ...]
    """By category, then by folder name."""
    hash: str
    """SHA-256 over the ids and hashes of all evals, chosen or not."""

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(ev.category for ev in self.evals))


def content_folder() -> Path:
    """The folder that holds `evals/` and `guidelines/`: the checkout, or what travels in the wheel."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_content", package.parents[1]):
        if (folder / "evals").is_dir():
            return folder
    raise SetupError(f"the evals that belong to this installation are missing: no evals/ in {package / '_content'}")


def load_suite(path: Path | None = None) -> Suite:
    """Read every eval below a folder; None for the packaged suite. Raises UsageError, naming the folder at fault."""
    root = content_folder() / "evals" if path is None else path.resolve()
    if not root.is_dir():
        raise UsageError(f"--suite {path}: no such folder")
    evals = sorted((_read(folder) for folder in _eval_folders(root)), key=_order)
    if not evals:
        raise UsageError(f"{root}: no evals here; an eval is a folder <category>/<name>/ with a {TASK_FILE}")
    seen: dict[str, Eval] = {}
    for ev in evals:
        other = seen.setdefault(ev.id, ev)
        if other is not ev:
            raise UsageError(f"{ev.path} and {other.path} are both called {ev.id}")
    digest = hashlib.sha256("\n".join(f"{ev.id} {ev.hash}" for ev in sorted(evals, key=lambda ev: ev.id)).encode())
    name = "convex-evals" if path is None else root.name
    return Suite(name=name, path=root, evals=tuple(evals), hash=digest.hexdigest())


def select(
    suite: Suite, *, ids: Sequence[str] = (), categories: Sequence[str] = (), pattern: str | None = None
) -> tuple[Eval, ...]:
    """The evals that meet every filter given, in suite order. Raises UsageError when a filter names nothing."""
    chosen = suite.evals
    if ids:
        wanted = {find(suite, name).id for name in ids}
        chosen = tuple(ev for ev in chosen if ev.id in wanted)
    if categories:
        unknown = [name for name in categories if name not in suite.categories]
        if unknown:
            raise UsageError(f"no category {unknown[0]!r}; there are: {', '.join(suite.categories)}")
        chosen = tuple(ev for ev in chosen if ev.category in categories)
    if pattern is not None:
        try:
            expression = re.compile(pattern)
        except re.error as error:
            raise UsageError(f"--filter {pattern!r} is no regular expression: {error}") from error
        chosen = tuple(ev for ev in chosen if expression.search(ev.id))
    if not chosen:
        raise UsageError("no eval meets all of the filters; `convex-evals list` shows what there is")
    return chosen


def find(suite: Suite, name: str) -> Eval:
    """One eval by id, by its name alone when that is unique, or by its folder in the public layout."""
    wanted = "/".join(_PREFIX.sub("", part) for part in name.strip("/").split("/"))
    matches = [ev for ev in suite.evals if ev.id == wanted] or [ev for ev in suite.evals if ev.name == wanted]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(f"{name!r} is ambiguous: {', '.join(ev.id for ev in matches)}")
    close = difflib.get_close_matches(wanted, [ev.id for ev in suite.evals] + [ev.name for ev in suite.evals], n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "`convex-evals list` shows what there is"
    raise UsageError(f"no eval {name!r} in {suite.path}; {hint}")


def _eval_folders(root: Path) -> Iterator[Path]:
    for category in sorted(root.iterdir()):
        if not category.is_dir() or category.name.startswith(".") or category.name in _SKIPPED_FOLDERS:
            continue
        for folder in sorted(category.iterdir()):
            if (folder / TASK_FILE).is_file() or (folder / NATIVE_FILE).is_file():
                yield folder


def _order(ev: Eval) -> tuple[int, str, str]:
    if ev.layout == "public":
        return (0, ev.path.parent.name, ev.path.name)
    known = CATEGORIES.index(ev.category) if ev.category in CATEGORIES else len(CATEGORIES)
    return (known, ev.category, ev.name)


def _read(folder: Path) -> Eval:
    task = _text(folder / TASK_FILE)
    if not task.strip():
        raise UsageError(f"{folder / TASK_FILE} is empty")
    if not (folder / "answer").is_dir():
        raise UsageError(f"{folder}: the reference project answer/ is missing")
    return _read_native(folder, task) if (folder / NATIVE_FILE).is_file() else _read_public(folder, task)


def _read_native(folder: Path, task: str) -> Eval:
    source = folder / NATIVE_FILE
    if not (folder / "grader.py").is_file():
        raise UsageError(f"{folder}: grader.py is missing")
    try:
        data = tomllib.loads(_text(source))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source}: {error}") from error
    unknown = sorted(data.keys() - _KEYS)
    if unknown:
        raise UsageError(f"{source}: unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    split = _string(data, "split", source) or None
    if split is not None and split not in _SPLITS:
        raise UsageError(f"{source}: split is {split!r}, must be one of {', '.join(_SPLITS)}")
    category, name = folder.parent.name, folder.name
    return Eval(
        id=f"{category}/{name}",
        category=category,
        name=name,
        path=folder,
        task=task,
        layout="native",
        split=split,
        family=_string(data, "family", source) or None,
        tags=_strings(data, "api", source),
        needs=frozenset(_strings(data, "needs", source)),
        network=_strings(data, "network", source),
        env=_table(data, "env", source),
        why=_string(data, "why", source),
        checks=_checks(data, source),
        expect={slug: _expectation(slug, row, source) for slug, row in _dict(data, "expect", source).items()},
        hash=_hash(folder, []),
    )


def _read_public(folder: Path, task: str) -> Eval:
    category, name = (_PREFIX.sub("", part) for part in (folder.parent.name, folder.name))
    source = folder / PUBLIC_FILE
    static = False
    if source.is_file():
        try:
            data = json.loads(_text(source))
        except json.JSONDecodeError as error:
            raise UsageError(f"{source}: {error}") from error
        static = isinstance(data, dict) and data.get("pipeline") == "static"
    checks: set[CheckName] = set(CHECKS)
    if static:
        checks.discard("deploy")
    if not (folder / "grader.test.ts").is_file():
        checks.discard("behaviour")
    return Eval(
        id=f"{category}/{name}",
        category=category,
        name=name,
        path=folder,
        task=task,
        layout="public",
        tags=("static",) if static else (),
        checks=frozenset(checks),
        hash=_hash(folder, _shared_files(folder)),
    )


def _shared_files(folder: Path) -> list[Path]:
    """What the graders of a public suite share: the helper module three folders up, and the package that it needs."""
    top = folder.parents[2]
    helpers = sorted(path for pattern in ("grader.*", "grader/**/*") for path in top.glob(pattern) if path.is_file())
    for parent in folder.parents:
        if (parent / "package.json").is_file():
            return [*helpers, parent / "package.json"]
    return helpers


def _hash(folder: Path, shared: Sequence[Path]) -> str:
    """SHA-256 over everything that can change what a model is asked or how its answer is judged."""
    digest = hashlib.sha256()
    named = [(path.relative_to(folder).as_posix(), path) for path in _files_below(folder)]
    for name, path in [*sorted(named), *((f"shared/{path.name}", path) for path in shared)]:
        body = path.read_bytes()
        digest.update(f"{len(name)} {name} {len(body)}\n".encode())
        digest.update(body)
    return digest.hexdigest()


def _files_below(folder: Path, top: bool = True) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or entry.name in _SKIPPED_FOLDERS or (top and entry.name in _NO_VERDICT):
            continue
        if entry.is_dir():
            yield from _files_below(entry, top=False)
        elif entry.is_file() and entry.name != ".DS_Store":
            yield entry


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"{path} is missing") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def _string(data: dict[str, Any], key: str, source: Path) -> Any:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{source}: {key} must be a string")
    return value


def _strings(data: dict[str, Any], key: str, source: Path) -> tuple[str, ...]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{source}: {key} must be a list of strings")
    return tuple(value)


def _dict(data: dict[str, Any], key: str, source: Path) -> dict[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise UsageError(f"{source}: {key} must be a table")
    return value


def _table(data: dict[str, Any], key: str, source: Path) -> dict[str, str]:
    value = _dict(data, key, source)
    if not all(isinstance(item, str) for item in value.values()):
        raise UsageError(f"{source}: every value of [{key}] must be a string")
    return value


def _checks(data: dict[str, Any], source: Path) -> frozenset[CheckName]:
    named = _strings(data, "checks", source)
    known = {check: check for check in CHECKS}
    if any(name not in known for name in named):
        raise UsageError(f"{source}: checks must be among {', '.join(CHECKS)}")
    return frozenset(check for check in CHECKS if check in named) if named else frozenset(CHECKS)


def _expectation(slug: str, row: Any, source: Path) -> Expectation:
    if not isinstance(row, dict) or row.get("check") not in CHECKS or row.keys() - {"check", "test", "match"}:
        raise UsageError(
            f"{source}: [expect.{slug}] needs check (one of {', '.join(CHECKS)}), and may have test, match"
        )
    return Expectation(row["check"], _string(row, "test", source) or None, _string(row, "match", source) or None)
