"""The embedded backend behind the `Backend` seam: bundle, push, hand out the deployment.

The only file of convex_evals that imports convex_embedded.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import convex_embedded
from convex_embedded.runtime.build import SOURCES, BuildFailed, BuiltRuntime, build, runtime_at
from convex_embedded.server import EmbeddedDeployment, Server
from convex_embedded.types import ComponentSource, DeployError, Module, Push, SandboxError
from convex_evals.errors import BackendUnavailable, DeployFailed, boundary
from convex_evals.toolchain import Bundle, BundledComponent, Toolchain
from convex_evals.toolchain.toolset import fresh_folder, publish
from convex_evals.types import Project


class EmbeddedBackend:
    """Deployments served by this process; see convex_embedded."""

    name = "embedded"
    version = convex_embedded.__version__

    def __init__(self, server: Server, tools: Toolchain, admin_key: str | None = None) -> None:
        self._server = server
        self._tools = tools
        self._admin_key = admin_key

    @classmethod
    async def start(cls, tools: Toolchain, cache: Path, admin_key: str | None = None) -> EmbeddedBackend:
        """Start serving. `admin_key`: a constant one for every deployment, for suites that carry one."""
        with boundary(BackendUnavailable, "building the embedded backend's runtime", OSError, BuildFailed):
            runtime = build_runtime(tools, cache)
        return cls(await Server.start(runtime), tools, admin_key)

    async def deploy(self, project: Project) -> EmbeddedDeployment:
        """Bundle and push. Raises DeployFailed for what the project does, BackendUnavailable for what we do."""
        bundle = await self._tools.bundle(project)
        try:
            deployment = await self._server.deployment(admin_key=self._admin_key, allow=project.network)
        except (OSError, SandboxError) as error:
            raise BackendUnavailable(f"no deployment could be started: {error}") from error
        pushed = False
        try:
            await deployment.push(as_push(bundle, project))
            pushed = True
        except DeployError as error:
            raise DeployFailed(str(error)) from error
        except SandboxError as error:
            raise BackendUnavailable(f"the sandbox broke while the project was deployed: {error}") from error
        finally:
            if not pushed:  # cancelled, too: nobody else knows of it yet
                await deployment.close()
        return deployment

    async def close(self) -> None:
        """End every deployment and the server."""
        await self._server.close()


def as_push(bundle: Bundle, project: Project) -> Push:
    """What the toolchain made, in the nouns of the embedded backend."""
    return Push(_component(bundle.app), tuple(_component(part) for part in bundle.components), env=project.env)


def _component(part: BundledComponent) -> ComponentSource:
    modules = tuple(
        Module(m.path, m.source, m.environment, m.source_map, m.positions, m.original) for m in part.modules
    )
    return ComponentSource(part.definition_path, modules, part.children)


def build_runtime(tools: Toolchain, cache: Path) -> BuiltRuntime:
    """The sandbox's runtime, built once for each content of its sources and of the pinned tools.

    Whole or not there at all: processes that start at the same time share the folder.
    """
    digest = hashlib.sha256(repr(sorted(tools.versions.items())).encode())
    for path in sorted([*SOURCES.rglob("*"), SOURCES.parent / "build.py"]):
        if path.suffix in (".ts", ".js", ".py"):
            digest.update(path.name.encode() + path.read_bytes())
    final = cache / "runtime" / digest.hexdigest()[:16]
    if not final.is_dir():
        with fresh_folder(cache) as folder:
            build(tools.esbuild, tools.node_modules, folder)
            publish(folder, final)
    return runtime_at(final)
