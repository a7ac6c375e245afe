"""From a prepared project to its bundle: walks the component definitions and has each one bundled.

Knows the warm bundler only by its answers; what an answer means for the submission is decided here.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convex_evals.errors import DeployFailed
from convex_evals.toolchain.entries import Entry, definition_file, functions_folder, list_entries
from convex_evals.toolchain.nouns import Bundle, BundledComponent, BundledModule, Environment
from convex_evals.toolchain.syntax import exported_lines
from convex_evals.toolchain.worker import Worker, WorkerDied

MAX_BUNDLE_BYTES = 32 * 1024 * 1024
_BUNDLE_SECONDS = 30.0
_SHOWN_PROBLEMS = 10
_NODE_HINT = (
    'It looks like Node.js APIs are used in a file without "use node". Move the actions that need them to a file of '
    'their own whose first line is "use node"; that file may hold nothing but actions. '
    "See https://docs.convex.dev/functions/runtimes#nodejs-runtime"
)


@dataclass(frozen=True)
class _Definition:
    """A component definition that was found."""

    path: str
    folder: Path


@dataclass(frozen=True)
class Bundler:
    """Bundles projects with one worker."""

    worker: Worker
    convex: Path
    """The pinned `convex` package."""
    convex_version: str
    _reads: tuple[Path, ...] = field(default=())

    async def bundle(self, project: Path) -> Bundle:
        """The bundle of a project that has its node_modules and generated files. Raises DeployFailed, ToolFailed."""
        root = project.resolve()
        functions = functions_folder(root)
        if not functions.is_dir():
            raise DeployFailed(f"there is no folder {functions.relative_to(root).as_posix()}/ with functions")
        provided = self._is_provided(root)
        found: dict[Path, str] = {functions: ""}
        waiting = deque([_Definition("", functions)])
        done: dict[str, BundledComponent] = {}
        total = 0
        while waiting:
            definition = waiting.popleft()
            component, children = await self._component(root, definition, provided)
            total += sum(len(module.source.encode()) for module in component.modules)
            _refuse_too_large(total)
            for required, child in sorted(children.items()):
                folder = Path(child["folder"])
                if folder not in found:
                    found[folder] = _definition_path(functions, folder, child, set(found.values()))
                    waiting.append(_Definition(found[folder], folder))
                component = _with_child(component, required, found[folder])
            done[definition.path] = component
        app = done.pop("")
        return Bundle(app, tuple(done[path] for path in sorted(done)), provided)

    async def bundle_app(self, entry: Path, project: Path, env: Mapping[str, str]) -> str:
        """One browser script of an app, its style sheet included. Raises DeployFailed, ToolFailed."""
        root = project.resolve()
        meta = {**env, "MODE": "production", "BASE_URL": "/", "DEV": False, "PROD": True, "SSR": False}
        define = {"import.meta.env": json.dumps(meta), "process.env": json.dumps({**env, "NODE_ENV": "production"})}
        define |= {f"import.meta.env.{name}": json.dumps(value) for name, value in meta.items()}
        define |= {f"process.env.{name}": json.dumps(value) for name, value in env.items()}
        define["process.env.NODE_ENV"] = '"production"'
        result = await self._ask(
            "app",
            {
                "root": str(root),
                "entry": str(root / entry),
                "allowed": self._allowed(root),
                "define": define,
                "maxBytes": MAX_BUNDLE_BYTES,
            },
        )
        _raise_problems(result)
        return _with_style(result["script"], result["style"])

    async def _component(
        self, root: Path, definition: _Definition, provided: bool
    ) -> tuple[BundledComponent, Mapping[str, Any]]:
        entries = list_entries(definition.folder, component=definition.path != "")
        if definition.path == "" and not entries:
            raise DeployFailed(f"no file in {definition.folder.relative_to(root).as_posix()}/ defines functions")
        config = definition_file(definition.folder)
        batches: list[tuple[Environment, list[Entry], bool]] = [
            ("isolate", [entry for entry in entries if entry.environment == "isolate"], False),
            ("node", [entry for entry in entries if entry.environment == "node"], False),
        ]
        if config is not None:
            batches.append(("isolate", [Entry(config, "convex.config.js", config.read_text("utf-8"), "isolate")], True))
        results = await asyncio.gather(
            *(self._build(root, provided, *batch) for batch in batches if batch[1]), return_exceptions=True
        )
        answers: list[Mapping[str, Any]] = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            answers.append(result)
        modules = [module for answer in answers for module in answer["modules"]]
        modules.sort(key=lambda module: module.path)
        children = answers[-1]["children"] if config is not None else {}
        return BundledComponent(definition.path, tuple(modules)), children

    async def _build(
        self, root: Path, provided: bool, environment: Environment, entries: Sequence[Entry], definition: bool
    ) -> Mapping[str, Any]:
        answer = await self._ask(
            "build",
            {
                "root": str(root),
                "entries": [{"in": str(entry.file), "out": entry.path.removesuffix(".js")} for entry in entries],
                "platform": "node" if environment == "node" else "browser",
                "provided": provided,
                "allowed": self._allowed(root),
                "definition": definition,
                "maxBytes": MAX_BUNDLE_BYTES,
            },
        )
        _raise_problems(answer)
        by_path = {entry.path: entry for entry in entries}
        modules = [
            BundledModule(
                path=module["path"],
                source=module["source"],
                environment=environment,
                source_map=module["sourceMap"],
                positions=exported_lines(by_path[module["path"]].source, by_path[module["path"]].file.name),
                original=_shown(root, by_path[module["path"]].file),
            )
            for module in answer["modules"]
        ]
        return {"modules": modules, "children": answer["children"]}

    async def _ask(self, op: str, payload: Mapping[str, Any]) -> Any:
        """An answer of the shared worker. When it dies over it, only the project that did it is to suffer: each of
        those that were under way is tried alone. Raises DeployFailed for code that takes down a worker of its own."""
        try:
            return await self.worker.request(op, payload, seconds=_BUNDLE_SECONDS)
        except WorkerDied:
            alone = self.worker.twin()
        try:
            return await alone.request(op, payload, seconds=_BUNDLE_SECONDS)
        except WorkerDied as error:
            raise DeployFailed("the bundler crashes or hangs on this code: is it nested very deeply?") from error
        finally:
            await alone.close()

    def _allowed(self, root: Path) -> list[str]:
        packages = (root / "node_modules").resolve()
        return [str(root), str(packages), str(self.convex.resolve())]

    def _is_provided(self, root: Path) -> bool:
        manifest = root / "node_modules" / "convex" / "package.json"
        if not manifest.is_file():
            raise DeployFailed(
                'package.json: the dependency "convex" is missing, so "convex/server" cannot be resolved'
            )
        return bool(json.loads(manifest.read_text("utf-8")).get("version") == self.convex_version)


def _definition_path(functions: Path, folder: Path, child: Mapping[str, str], taken: set[str]) -> str:
    if folder.is_relative_to(functions.parent) and "node_modules" not in folder.parts[len(functions.parent.parts) :]:
        inside = folder.is_relative_to(functions)
        return folder.relative_to(functions).as_posix() if inside else _climb(functions, folder)
    parts = folder.parts
    name = child["specifier"].rpartition("/convex.config")[0]
    if name.startswith(".") or not name or name in taken:
        # Reached by a relative import inside a package, or a second version of it: the place itself is the name.
        name = "/".join(parts[parts.index("node_modules") + 1 :]) if "node_modules" in parts else "/".join(parts[-2:])
    return name


def _climb(functions: Path, folder: Path) -> str:
    return "../" + folder.relative_to(functions.parent).as_posix()


def _with_child(component: BundledComponent, required: str, path: str) -> BundledComponent:
    return BundledComponent(component.definition_path, component.modules, {**component.children, required: path})


def _shown(root: Path, file: Path) -> str:
    parts = file.parts
    if file.is_relative_to(root):
        return file.relative_to(root).as_posix()
    start = len(parts) - 1 - parts[::-1].index("node_modules")
    return "/".join(parts[start:])


def _refuse_too_large(size_bytes: int) -> None:
    if size_bytes > MAX_BUNDLE_BYTES:
        raise DeployFailed(
            f"the bundled code is {size_bytes / 2**20:.1f} MiB, more than the {MAX_BUNDLE_BYTES // 2**20} MiB "
            "that a deployment may have"
        )


def _raise_problems(answer: Mapping[str, Any]) -> None:
    _refuse_too_large(answer.get("tooLarge", 0))
    if not (problems := answer.get("problems")):
        return
    lines = [_describe(problem) for problem in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > _SHOWN_PROBLEMS:
        lines.append(f"… and {len(problems) - _SHOWN_PROBLEMS} more")
    if any(problem["builtin"] for problem in problems):
        lines.append(_NODE_HINT)
    raise DeployFailed("\n".join(lines))


def _describe(problem: Mapping[str, Any]) -> str:
    text = problem["text"].replace('"provided:convex/', '"convex/')
    if text.startswith("Top-level await"):
        text = "Top-level await is not supported in Convex functions: await inside of a function"
    if problem["builtin"]:
        text += f": {problem['builtin']} is a Node.js built-in, which the default runtime does not have"
    place = f"{problem['file']}:{problem['line']}:{problem['column']}: " if problem["file"] else ""
    source = f"\n    {problem['source'].strip()}" if problem["source"].strip() else ""
    return f"{place}{text}{source}"


def _with_style(script: str, style: str) -> str:
    if not style:
        return script
    insert = 'const style=document.createElement("style");style.textContent='
    return f"(()=>{{{insert}{json.dumps(style)};document.head.append(style);}})();\n{script}"
