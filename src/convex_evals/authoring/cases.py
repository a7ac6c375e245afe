"""What an eval folder says about itself: the projects that must pass and those that must fail, as cases to grade.

Reads folders; grades nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from convex_evals.errors import UsageError
from convex_evals.types import Eval, Expectation, Files
from convex_evals.workspace import read_folder


@dataclass(frozen=True)
class Case:
    """One project to grade, and what has to come out."""

    eval_id: str
    name: str
    """"answer", "right/<slug>", "wrong/<slug>" or "empty"."""
    files: Files
    passes: bool
    expected: Expectation | None = None
    """Where a wrong project must fail; None for the empty one, which may fail anywhere."""


def cases(ev: Eval) -> Iterator[Case]:
    """The cases of one eval: answer, every `right/`, every `wrong/`, and the empty project.

    Raises UsageError when a `wrong/` has no expectation, or an expectation no folder.
    """
    answer = read_folder(ev.path / "answer")
    removed = _removed(ev.path)
    yield Case(ev.id, "answer", answer, passes=True)
    for slug in _slugs(ev.path / "right"):
        yield Case(ev.id, f"right/{slug}", _overlay(ev, answer, f"right/{slug}", removed), passes=True)
    wrongs = _slugs(ev.path / "wrong")
    for slug in wrongs:
        if slug not in ev.expect:
            raise UsageError(
                f"{ev.id}: wrong/{slug} has no [expect.{slug}] in eval.toml: say at which check it must fail"
            )
        files = _overlay(ev, answer, f"wrong/{slug}", removed)
        yield Case(ev.id, f"wrong/{slug}", files, passes=False, expected=ev.expect[slug])
    for slug in ev.expect:
        if slug not in wrongs:
            raise UsageError(f"{ev.id}: [expect.{slug}] in eval.toml has no folder wrong/{slug}")
    yield Case(ev.id, "empty", _empty(answer), passes=False)


def _empty(answer: Files) -> Files:
    """A project that deploys and has no function: the answer's package.json and a module that exports nothing."""
    return {"package.json": answer.get("package.json", "{}"), "convex/nothing.ts": "export {};\n"}


def _overlay(ev: Eval, answer: Files, name: str, removed: Mapping[str, list[str]]) -> Files:
    gone = set(removed.get(name, []))
    kept = {path: text for path, text in answer.items() if path not in gone}
    return {**kept, **read_folder(ev.path / name)}


def _removed(folder: Path) -> Mapping[str, list[str]]:
    """`[remove]` of eval.toml: which files of the answer a right or wrong project does not have."""
    path = folder / "eval.toml"
    if not path.is_file():
        return {}
    table: Mapping[str, list[str]] = tomllib.loads(path.read_text(encoding="utf-8")).get("remove", {})
    return table


def _slugs(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(p.name for p in folder.iterdir() if p.is_dir())) if folder.is_dir() else ()
