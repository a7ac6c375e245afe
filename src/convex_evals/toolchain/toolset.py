"""The pinned npm tools: where they live in the cache, and how they get there once.

What is installed is decided by the committed package.json and lock file in `npm/` alone. A folder of the cache that has
its final name is complete, because it is renamed there last; so it never needs repair, and two processes
may install at the same time.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from convex_evals.errors import RegistryUnavailable, SetupError
from convex_evals.toolchain.node import Node, NpmFailed, run_npm
from convex_evals.toolchain.nouns import Progress

SETUP_SECONDS = 900.0


@dataclass(frozen=True)
class Toolset:
    """An installed tool set."""

    folder: Path

    @property
    def node_modules(self) -> Path:
        """All the tools, `convex` among them."""
        return self.folder / "node_modules"

    @property
    def convex_only(self) -> Path:
        """A node_modules folder in which nothing but `convex` is found."""
        return self.folder / "convex-only" / "node_modules"

    @property
    def nothing(self) -> Path:
        """An empty node_modules folder."""
        return self.folder / "nothing" / "node_modules"

    @property
    def esbuild(self) -> Path:
        """The esbuild binary itself, not the Node script that starts it."""
        folder = self.node_modules / "@esbuild" / _platform_package()
        return folder / "esbuild.exe" if os.name == "nt" else folder / "bin" / "esbuild"

    @property
    def tsgolint(self) -> Path:
        """The binary of oxlint-tsgolint: TypeScript's checker and type-aware lint rules."""
        name = "tsgolint.exe" if os.name == "nt" else "tsgolint"
        return self.node_modules / "@oxlint-tsgolint" / _platform_package() / name


def pinned_versions() -> Mapping[str, str]:
    """Tool → exact version, as committed."""
    return dict(json.loads(_committed("package.json"))["dependencies"])


def toolset_at(cache: Path) -> Toolset:
    """Where the tool set of this version belongs, installed or not."""
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json"):
        digest.update(_committed(name))
    digest.update(_platform_package().encode())
    return Toolset(cache / f"tools-{digest.hexdigest()[:16]}")


def find_toolset(cache: Path) -> Toolset:
    """The installed tool set. Raises SetupError when there is none."""
    tools = toolset_at(cache)
    if not tools.folder.is_dir():
        raise SetupError(f"the tools are not installed in {cache}: run `convex-evals setup`")
    return tools


def install_toolset(cache: Path, node: Node, progress: Progress) -> Toolset:
    """Install the tool set unless it is there. Raises RegistryUnavailable or SetupError."""
    tools = toolset_at(cache)
    if tools.folder.is_dir():
        progress(f"tools: already in {tools.folder}")
        return tools
    with fresh_folder(cache) as folder:
        for name in ("package.json", "package-lock.json"):
            (folder / name).write_bytes(_committed(name))
        progress(f"tools: installing {', '.join(f'{name} {v}' for name, v in sorted(pinned_versions().items()))}")
        try:
            run_npm(node, ["ci"], folder=folder, npm_cache=cache / "npm", seconds=SETUP_SECONDS)
        except NpmFailed as error:
            raise _setup_failure(error) from error
        _verify(Toolset(folder))
        _narrow(Toolset(folder))
        publish(folder, tools.folder)
    progress(f"tools: ready in {tools.folder}")
    return tools


@contextmanager
def fresh_folder(cache: Path) -> Iterator[Path]:
    """An empty folder on the cache's own file system, removed at the end unless it was renamed away."""
    folder = cache / "unfinished" / secrets.token_hex(8)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise SetupError(f"cannot write to the cache folder {cache}: {error}; choose another one") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, final: Path) -> None:
    """Give a complete folder its final name; when another process was faster, its folder stays."""
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(final)
    except OSError:
        if not final.is_dir():
            raise


def _committed(name: str) -> bytes:
    return (resources.files(__package__) / "npm" / name).read_bytes()


def _platform_package() -> str:
    machine = platform.machine().lower()
    return f"{sys.platform}-{ {'x86_64': 'x64', 'amd64': 'x64', 'aarch64': 'arm64'}.get(machine, machine) }"


def _setup_failure(error: NpmFailed) -> RegistryUnavailable | SetupError:
    if error.fault == "registry":
        return RegistryUnavailable(
            f"the package registry did not serve the tools ({error}); check the network, a proxy's certificate "
            "(NODE_EXTRA_CA_CERTS) and npm's `registry` setting, then run `convex-evals setup` again"
        )
    return SetupError(f"npm could not install the pinned tools ({error})")


def _verify(tools: Toolset) -> None:
    for name, version in pinned_versions().items():
        found = json.loads((tools.node_modules / name / "package.json").read_text())["version"]
        if found != version:
            raise SetupError(f"npm installed {name} {found} where {version} is pinned")
    for binary in (tools.esbuild, tools.tsgolint):
        if not binary.is_file():
            raise SetupError(f"no {binary.name} for this platform ({_platform_package()}) in the pinned tools")


def _narrow(tools: Toolset) -> None:
    tools.nothing.mkdir(parents=True)
    tools.convex_only.mkdir(parents=True)
    (tools.convex_only / "convex").symlink_to(Path("..", "..", "node_modules", "convex"), target_is_directory=True)
