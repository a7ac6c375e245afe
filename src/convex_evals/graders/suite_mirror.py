"""A copy of one eval of a public suite with what its grader needs around it: helpers, packages, generated code.

The suite itself is read only. A copy keeps the relative places (`../../../grader`), is keyed by its content and never
changed once it is there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from convex_evals.errors import InstallFailed, SetupError
from convex_evals.types import Eval, Files, Project
from convex_evals.workspace import read_folder

MANIFEST = "package.json"
MAX_FILES = 5000
MAX_FILE_BYTES = 2 * 1024 * 1024
_SKIPPED = frozenset({"node_modules", "__pycache__", "dist", "build"})


class SuiteTools(Protocol):
    """The part of the toolchain that a suite needs."""

    @property
    def node(self) -> Path: ...

    async def install(self, files: Files) -> Path | None: ...

    async def prepare(self, project: Project) -> None: ...


@dataclass(frozen=True)
class Mirror:
    """A finished copy."""

    root: Path
    """Stands for the top of the suite."""
    grader: Path
    """The grader file, relative to the root."""


def suite_package(ev: Eval) -> Path:
    """The folder of the suite's package.json: the nearest one upwards from the eval. Raises SetupError."""
    for folder in (ev.path, *ev.path.parents):
        if (folder / MANIFEST).is_file():
            return folder
    raise SetupError(f"{ev.path}: no package.json here or in a folder above; it has to declare vitest for the graders")


async def mirror(ev: Eval, tools: SuiteTools, folder: Path) -> Mirror:
    """The copy of an eval below `folder`, made when there is none yet. Raises SetupError, RegistryUnavailable."""
    package = suite_package(ev)
    # The helper that graders import stands beside the folder of evals, wherever package.json is.
    root = min(package, ev.path.parents[2], key=lambda folder: len(folder.parts))
    found = await asyncio.to_thread(_contents, root, ev.path)
    modules = await install_suite(package / MANIFEST, tools)
    digest = hashlib.sha256(str(modules).encode())
    for path, body in sorted(found.items()):
        digest.update(f"{path.as_posix()}\0{len(body)}\0".encode() + body)
    final = folder / digest.hexdigest()[:24]
    grader = ev.path.relative_to(root) / "grader.test.ts"
    if not final.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
        try:
            await asyncio.to_thread(_write, found, modules, scratch)
            await _prepare_answer(scratch / grader.parent / "answer", tools)
            with suppress(OSError):  # another grading was faster: its copy is the same
                scratch.rename(final)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return Mirror(final, grader)


async def install_suite(manifest: Path, tools: SuiteTools) -> Path:
    """The packages of a suite. Raises SetupError for what its package.json asks for, RegistryUnavailable."""
    try:
        modules = await tools.install({MANIFEST: manifest.read_text("utf-8")})
    except (InstallFailed, UnicodeDecodeError) as error:
        raise SetupError(f"{manifest}: {error}") from error
    if modules is None or not (modules / "vitest" / MANIFEST).is_file():
        raise SetupError(f"{manifest} does not declare vitest, which runs the graders of this suite")
    return modules


def vitest_script(root: Path) -> Path:
    """The command line program of the vitest that a mirror holds."""
    package = root / "node_modules" / "vitest"
    named = json.loads((package / MANIFEST).read_text("utf-8"))["bin"]
    return package / (named if isinstance(named, str) else named["vitest"])


def _contents(root: Path, eval_folder: Path) -> dict[Path, bytes]:
    """Files of the suite that belong to no other eval, relative to its root."""
    found: dict[Path, bytes] = {}
    for path in _walk(root, eval_folder):
        found[path.relative_to(root)] = path.read_bytes()
        if len(found) > MAX_FILES:
            raise SetupError(f"{root} holds over {MAX_FILES} files beside its evals; keep package.json by the suite")
    return found


def _walk(folder: Path, eval_folder: Path) -> Iterator[Path]:
    all_evals = eval_folder.parent.parent
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.is_symlink() or entry.name in _SKIPPED or entry.name.startswith(".git"):
            continue
        if entry.is_dir():
            inside = path == eval_folder or eval_folder in path.parents
            above = path in eval_folder.parents
            other = all_evals in path.parents and not inside and not above
            hidden = entry.name.startswith(".") and not inside
            if not other and not hidden:
                yield from _walk(path, eval_folder)
        elif entry.is_file() and entry.stat().st_size <= MAX_FILE_BYTES:
            yield path


def _write(found: dict[Path, bytes], modules: Path, target: Path) -> None:
    for path, body in found.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(body)
    # A folder of links instead of one link: Vite writes beside the packages, and an installed set is shared.
    for package in modules.iterdir():
        inner = package.iterdir() if package.name.startswith("@") else (package,)
        for one in inner:
            link = target / "node_modules" / one.relative_to(modules)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(one.resolve(), target_is_directory=one.is_dir())


async def _prepare_answer(answer: Path, tools: SuiteTools) -> None:
    """Graders import the answer's generated code."""
    if (answer / "convex").is_dir():
        modules = await tools.install(read_folder(answer))
        await tools.prepare(Project(answer, node_modules=modules))
