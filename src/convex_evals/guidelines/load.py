"""The guidelines folder → rules: one Markdown file a section, sections by file name, rules as they stand in the file.

# Queries                          title of the section; without it, the file's name makes one
+++
id = "query-with-index"            unique in the folder; lower case, digits, hyphens
source = "https://docs.convex.dev/…"
motive_evals = ["queries/pagination"]
models = []                        glob patterns of model names; empty: for all
evidence = ""
added = "2026-11-22"
+++
Markdown, up to the next `+++` line outside of a fence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from convex_evals.errors import UsageError
from convex_evals.guidelines.render import render, text_hash
from convex_evals.types import Guidelines, Rule

_ID = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
_ORDER = re.compile(r"^\d+[-_]")
_KEYS = frozenset({"id", "source", "motive_evals", "models", "evidence", "added"})
_NOT_RULES = frozenset({"readme.md"})


def load_guidelines(folder: Path, model: str | None = None) -> Guidelines:
    """The rules in a folder as they go into a prompt; with a model's name, those that are meant for it.

    Raises UsageError, with file and line, for what is no rule.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of guidelines")
    files = sorted(path for path in folder.glob("*.md") if path.name.lower() not in _NOT_RULES)
    rules = [rule for path in files for rule in _read_section(path)]
    if not rules:
        raise UsageError(f"{folder}: no rules here; a rule is a +++ block followed by Markdown, in a file <section>.md")
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise UsageError(f"{folder}: two rules are called {rule.id!r}")
        seen.add(rule.id)
    chosen = tuple(rule for rule in rules if not rule.models or (model is not None and _meant_for(rule, model)))
    text = render(chosen)
    return Guidelines(name=folder.resolve().name, rules=chosen, text=text, hash=text_hash(text))


def _meant_for(rule: Rule, model: str) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in rule.models)


def _read_section(path: Path) -> Iterator[Rule]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    marks = _marks(lines)
    title = _title(path, lines[: marks[0]] if marks else lines)
    if len(marks) % 2:
        raise UsageError(f"{path}:{marks[-1] + 1}: this +++ has no partner")
    for opening, closing in zip(marks[::2], marks[1::2], strict=True):
        following = next((mark for mark in marks if mark > closing), len(lines))
        text = "\n".join(lines[closing + 1 : following]).strip()
        yield _rule(f"{path}:{opening + 1}", title, "\n".join(lines[opening + 1 : closing]), text)


def _marks(lines: list[str]) -> list[int]:
    """Indices of the `+++` lines that are not inside a fenced block."""
    marks: list[int] = []
    fence = ""
    for index, line in enumerate(lines):
        run = re.match(r"^\s*(`{3,}|~{3,})", line)
        if run and not fence:
            fence = run.group(1)
        elif run and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        elif line.strip() == "+++" and not fence:
            marks.append(index)
    return marks


def _title(path: Path, head: list[str]) -> str:
    said = [line.strip() for line in head if line.strip()]
    if not said:
        return _ORDER.sub("", path.stem).replace("-", " ").replace("_", " ").capitalize()
    if len(said) > 1 or not said[0].startswith("# "):
        raise UsageError(f"{path}:1: only a `# Title` line may stand before the first rule")
    return said[0][2:].strip()


def _rule(where: str, section: str, front: str, text: str) -> Rule:
    try:
        data = tomllib.loads(front)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where}: {error}") from error
    unknown = sorted(data.keys() - _KEYS)
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    if not isinstance(data.get("id"), str) or not _ID.match(data["id"]):
        raise UsageError(f"{where}: a rule needs an id of lower-case letters, digits and hyphens")
    if not text:
        raise UsageError(f"{where}: the rule {data['id']!r} has no text")
    return Rule(
        id=data["id"],
        section=section,
        text=text,
        models=_strings(data, "models", where),
        motive_evals=_strings(data, "motive_evals", where),
        source=str(data.get("source", "")),
        evidence=str(data.get("evidence", "")),
        added=str(data.get("added", "")),
    )


def _strings(data: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where}: {key} must be a list of strings")
    return tuple(value)
