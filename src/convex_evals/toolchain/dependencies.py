"""Dependency sets: what a submission's package.json asks for, installed once per distinct wish and shared.

Only packages of the registry are allowed, install scripts never run, and a set that holds nothing but the pinned
`convex` is served without an install. A published set is never written to again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from convex_evals.errors import InstallFailed, RegistryUnavailable, ToolFailed
from convex_evals.toolchain.node import Node, NpmFailed, run_npm
from convex_evals.toolchain.toolset import Toolset, fresh_folder, publish
from convex_evals.toolchain.worker import Worker

INSTALL_SECONDS = 300.0
_PROBE_SECONDS = 60.0
MAX_DEPENDENCIES = 200
_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_REFUSED_FIELDS = ("workspaces", "overrides", "resolutions", "pnpm")
_WHY_REFUSED = {
    "file": "a path",
    "directory": "a path",
    "git": "a git repository",
    "remote": "a URL",
}


@dataclass
class Dependencies:
    """Installs sets into one cache."""

    cache: Path
    tools: Toolset
    node: Node
    worker: Worker
    convex_version: str
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def install(self, package_json: str) -> Path:
        """The node_modules folder for a package.json. Raises InstallFailed, RegistryUnavailable or ToolFailed."""
        wanted = await self._normalised(_parsed(package_json))
        names = {name for section in wanted.values() for name in section}
        if not names:
            return self.tools.nothing
        if names == {"convex"} and all(section == {"convex": self.convex_version} for section in wanted.values()):
            return self.tools.convex_only
        key = hashlib.sha256(json.dumps([wanted, self.tools.folder.name], sort_keys=True).encode()).hexdigest()[:24]
        final = self.cache / "sets" / key
        async with self._locks.setdefault(key, asyncio.Lock()):
            if not final.is_dir():
                await asyncio.to_thread(self._install_once, wanted, final)
        return final / "node_modules"

    async def _normalised(self, manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        for name in _REFUSED_FIELDS:
            if manifest.get(name):
                raise InstallFailed(f"package.json: `{name}` is not allowed: declare what the project needs itself")
        sections = {name: _section(manifest, name) for name in _SECTIONS}
        wanted = [[name, text] for section in sections.values() for name, text in section.items()]
        if len(wanted) > MAX_DEPENDENCIES:
            raise InstallFailed(
                f"package.json: {len(wanted)} dependencies are declared, more than the {MAX_DEPENDENCIES} allowed"
            )
        answers = await self.worker.request("specs", {"wanted": wanted, "pinned": self.convex_version}, seconds=30)
        for (name, text), answer in zip(wanted, answers, strict=True):
            if "problem" in answer:
                raise InstallFailed(f"package.json: {name}@{text}: {answer['problem']}")
            if not answer["registry"]:
                why = _WHY_REFUSED.get(answer["type"], "not a version of a package in the registry")
                raise InstallFailed(
                    f"package.json: {name}: {text!r} is {why}; only versions of packages in the registry are allowed"
                )
            if name == "convex" and answer["pinned"]:
                for section in sections.values():
                    if name in section:
                        section[name] = self.convex_version
        return {name: dict(sorted(section.items())) for name, section in sections.items() if section}

    def _install_once(self, wanted: Mapping[str, Mapping[str, str]], final: Path) -> None:
        with _locked(self.cache / "locks" / f"{final.name}.lock"):
            if final.is_dir():
                return  # another process was faster
            with fresh_folder(self.cache) as folder:
                (folder / "package.json").write_text(json.dumps({"private": True, **wanted}), "utf-8")
                try:
                    run_npm(
                        self.node, ["install"], folder=folder, npm_cache=self.cache / "npm", seconds=INSTALL_SECONDS
                    )
                except NpmFailed as error:
                    raise self._judged(error) from error
                (folder / "node_modules").mkdir(exist_ok=True)
                publish(folder, final)

    def _judged(self, error: NpmFailed) -> Exception:
        if error.fault == "registry":
            return RegistryUnavailable(f"the package registry did not answer properly: {error}")
        if error.fault == "tool":
            return ToolFailed(f"npm could not install the dependencies: {error}")
        # A registry that knows nothing (an outpost without upstream) also answers "not found": ask for what must exist.
        probe = ["view", f"convex@{self.convex_version}", "version"]
        try:
            run_npm(self.node, probe, folder=self.tools.folder, npm_cache=self.cache / "npm", seconds=_PROBE_SECONDS)
        except NpmFailed as second:
            return RegistryUnavailable(
                f"the package registry answers {error.code}, and {second.code} for convex itself"
            )
        return InstallFailed(f"npm refuses the dependencies of package.json: {error}")


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        manifest = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InstallFailed(f"package.json: not valid JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise InstallFailed("package.json: not a JSON object")
    return manifest


def _section(manifest: Mapping[str, Any], name: str) -> dict[str, str]:
    section = manifest.get(name) or {}
    if not isinstance(section, dict) or not all(isinstance(value, str) for value in section.values()):
        raise InstallFailed(f"package.json: `{name}` has to map package names to versions")
    if "" in section:
        raise InstallFailed(f"package.json: `{name}` has a package without a name")
    return dict(section)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        _lock(file)
        yield  # closing the file lets go of the lock


def _lock(file: IO[str]) -> None:
    """Hold an advisory lock; without one (Windows) two processes may install the same set, and one result is kept."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(file, fcntl.LOCK_EX)
