"""The tools of one run, warm: what the rest of convex-evals sees of this room.

Owns the processes and the cache folders; what each step means lives in the module of that step.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from convex_evals.toolchain import codegen
from convex_evals.toolchain.bundling import Bundler
from convex_evals.toolchain.checking import Checker
from convex_evals.toolchain.dependencies import Dependencies
from convex_evals.toolchain.node import find_node
from convex_evals.toolchain.nouns import Bundle, Finding, Progress
from convex_evals.toolchain.toolset import Toolset, find_toolset, install_toolset, pinned_versions
from convex_evals.toolchain.worker import Worker
from convex_evals.types import Files, Project


class Toolchain:
    """Bundles, checks and lints projects. Made by `start`; `close` it in the end."""

    def __init__(self, cache: Path, tools: Toolset) -> None:
        node = find_node()
        self.versions: Mapping[str, str] = {**pinned_versions(), "node": node.version}
        """Tool → exact version: what a run records."""
        self.esbuild = tools.esbuild
        """The esbuild binary."""
        self.node = node.binary
        self.node_modules = tools.node_modules
        """All pinned npm packages: convex, esbuild, typescript, vitest …"""
        self._tools = tools
        self._worker = Worker(node.binary, Path(__file__).with_name("worker.mjs"), tools.node_modules, node.npm_modules)
        self._bundler = Bundler(self._worker, tools.node_modules / "convex", self.versions["convex"])
        self._dependencies = Dependencies(cache, tools, node, self._worker, self.versions["convex"])
        self._checker = Checker(tools.tsgolint)

    @staticmethod
    def setup(cache: Path, progress: Progress) -> None:
        """Install the pinned tools into the cache; quick when they are there. Blocks.

        Raises RegistryUnavailable when the package registry does not answer, else SetupError.
        """
        install_toolset(cache.absolute(), find_node(), progress)

    @staticmethod
    async def start(cache: Path) -> Toolchain:
        """The tools of a cache that was set up. Raises SetupError when it was not."""
        return Toolchain(cache.absolute(), find_toolset(cache.absolute()))

    async def install(self, files: Files) -> Path | None:
        """The shared, read-only node_modules folder for the package.json of a submission, None when it has none.

        Raises InstallFailed for what is not allowed or does not exist, RegistryUnavailable, ToolFailed.
        """
        text = files.get("package.json")
        return None if text is None else await self._dependencies.install(text)

    async def prepare(self, project: Project) -> None:
        """Write generated files and compiler settings into the project and link its packages (only `convex` if none).

        Raises DeployFailed for a file that cannot be a module.
        """
        codegen.prepare(project.path, project.node_modules or self._tools.convex_only)

    async def bundle(self, project: Project) -> Bundle:
        """What a deployment is pushed. The project has to be prepared. Raises DeployFailed, ToolFailed."""
        return await self._bundler.bundle(project.path)

    async def bundle_app(self, entry: Path, project: Project, env: Mapping[str, str]) -> str:
        """One browser script of the app whose entry file (relative to the project) is given, styles included.

        `env` becomes `import.meta.env` and `process.env`. Raises DeployFailed, ToolFailed.
        """
        return await self._bundler.bundle_app(entry, project.path, env)

    async def typecheck(self, project: Project) -> tuple[Finding, ...]:
        """What TypeScript says about a prepared project. Raises ToolFailed."""
        return await self._checker.types(project.path)

    async def lint(self, project: Project) -> tuple[Finding, ...]:
        """What the lint rules say about a prepared project. Raises ToolFailed."""
        return await self._checker.lint(project.path)

    async def close(self) -> None:
        """End all processes."""
        await self._checker.close()
        await self._worker.close()
