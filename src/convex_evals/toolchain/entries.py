"""Which files of a functions folder are deployed as modules, under what path, and in which runtime.

The rules are those of Convex's own command line; they decide verdicts, so each refusal is a DeployFailed
that says which file and why. Reads files, writes none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convex_evals.errors import DeployFailed
from convex_evals.paths import is_generated, normalize, refusal
from convex_evals.toolchain.nouns import Environment
from convex_evals.toolchain.syntax import directives

CODE_SUFFIXES = (".js", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".jsx")
_CONFIG = ("convex.config.ts", "convex.config.js")
_SCHEMA = ("schema.ts", "schema.js")
_AUTH = ("auth.config.ts", "auth.config.js")
_ISOLATE_ONLY = frozenset({"http", "crons", "schema", "auth.config"})
_MAX_COMPONENT_CHARACTERS = 64
_LEGAL_COMPONENT = re.compile(r"[A-Za-z0-9_.]+")
_MODULE_LINE = re.compile(r"^\s{0,100}(import|export)", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """One file that is deployed."""

    file: Path
    path: str
    """Canonical module path: "messages.js"."""
    source: str
    environment: Environment


def functions_folder(project: Path) -> Path:
    """The folder that holds the functions: `convex`, or what `convex.json` names inside the project."""
    settings = project / "convex.json"
    name: object = None
    if settings.is_file():
        try:
            name = json.loads(settings.read_text("utf-8")).get("functions")
        except (ValueError, AttributeError, RecursionError) as error:
            raise DeployFailed(f"convex.json: not a JSON object: {error}") from error
    place = normalize(name) if isinstance(name, str) and name else "convex"
    # What a file may not lie in is no folder of functions either: node_modules is a link to packages that trials share.
    if refusal(place) or is_generated(f"{place}/file"):
        raise DeployFailed(f"convex.json: functions: {str(name)[:200]!a} is not a folder of the project")
    return (project / place).resolve()


def definition_file(folder: Path) -> Path | None:
    """The convex.config file of a component definition (or of the app)."""
    return _first(folder, _CONFIG)


def list_entries(folder: Path, *, component: bool) -> tuple[Entry, ...]:
    """What is deployed of one definition, in path order: functions, schema and, for the app, auth.config."""
    files = sorted(_functions(folder), key=lambda file: file.relative_to(folder).as_posix())
    entries = [_entry(folder, file) for file in files]
    for names in (_SCHEMA,) if component else (_SCHEMA, _AUTH):
        if (file := _first(folder, names)) is not None:
            entries.append(_entry(folder, file))
    for entry in entries:
        if component and entry.environment == "node":
            raise DeployFailed(
                f'{entry.path}: "use node" is not supported in components: only the app itself may have Node.js actions'
            )
    return tuple(entries)


def module_paths(folder: Path) -> tuple[str, ...]:
    """Module paths without extension, as `api` names them: "messages", "dir/util"."""
    return tuple(sorted(canonical_path(folder, file).removesuffix(".js") for file in _functions(folder)))


def canonical_path(folder: Path, file: Path) -> str:
    """Where a module is deployed to: always with `.js`, always with forward slashes."""
    return file.relative_to(folder).with_suffix(".js").as_posix()


def _functions(folder: Path) -> Iterator[Path]:
    yield from (file for file in _walk(folder) if _is_function_file(folder, file))


def _walk(folder: Path) -> Iterator[Path]:
    for child in sorted(folder.iterdir()):
        if child.is_dir():
            if not (child / "convex.config.ts").exists():
                yield from _walk(child)
        elif child.is_file():
            yield child


def _is_function_file(folder: Path, file: Path) -> bool:
    relative = file.relative_to(folder)
    if relative.parts[0] == "_deps":
        raise DeployFailed(f"{relative.as_posix()}: the folder _deps is reserved: move the file to another folder")
    if relative.parts[0] == "_generated" or not file.name.endswith(CODE_SUFFIXES):
        return False
    if file.name.startswith((".", "#")) or file.name in _SCHEMA or file.name.count(".") > 1:
        return False
    if " " in relative.as_posix():
        return False
    # TypeScript takes a file without import and export for a script: such a file is not deployed.
    return file.suffix not in {".ts", ".tsx"} or _MODULE_LINE.search(_read(folder, file)) is not None


def _entry(folder: Path, file: Path) -> Entry:
    path = canonical_path(folder, file)
    for part in path.split("/"):
        _check_component(path, part)
    source = _read(folder, file)
    environment: Environment = "node" if "use node" in directives(source, file.name) else "isolate"
    if environment == "node" and path.removesuffix(".js") in _ISOLATE_ONLY:
        raise DeployFailed(f'{path}: "use node" is not allowed in this file: it always runs in the default runtime')
    if environment == "isolate" and path.startswith("actions/"):
        raise DeployFailed(
            f'{path}: files in the folder actions/ need "use node" on their first line; '
            "move functions for the default runtime to another folder"
        )
    return Entry(file, path, source, environment)


def _check_component(path: str, part: str) -> None:
    if not _LEGAL_COMPONENT.fullmatch(part):
        raise DeployFailed(
            f"{path} is not a valid path to a Convex module: path component {part} can only contain "
            "alphanumeric characters, underscores, or periods"
        )
    if len(part) > _MAX_COMPONENT_CHARACTERS:
        raise DeployFailed(
            f"{path} is not a valid path to a Convex module: path component {part} is longer than "
            f"{_MAX_COMPONENT_CHARACTERS} characters"
        )
    if not any(character.isalnum() for character in part.removesuffix(".js")):
        raise DeployFailed(
            f"{path} is not a valid path to a Convex module: path component {part} needs at least one "
            "alphanumeric character"
        )


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _read(folder: Path, file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise DeployFailed(f"{file.relative_to(folder).as_posix()}: not UTF-8 text: {error}") from error
