"""The built runtime and small projects for the tests of the embedded backend, bundled by the pinned tool set.

`CONVEX_EVALS_NODE_MODULES` names a node_modules folder with the tool set; without it the set that
`convex-evals setup` installed is used; without either the tests that need it are skipped.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from convex_embedded.runtime import BuiltRuntime, build
from convex_embedded.types import ComponentSource, Module, Push
from convex_evals.errors import SetupError
from convex_evals.toolchain.toolset import find_toolset

Files = Mapping[str, str]
MakePush = Callable[..., Push]


@pytest.fixture(scope="session")
def node_modules(cache: Path) -> Path:
    """The pinned tool set."""
    named = os.environ.get("CONVEX_EVALS_NODE_MODULES")
    if named:
        return Path(named)
    try:
        return find_toolset(cache).node_modules
    except SetupError as error:
        pytest.skip(f"set CONVEX_EVALS_NODE_MODULES, or: {error}")


@pytest.fixture(scope="session")
def esbuild(node_modules: Path) -> Path:
    return next(node_modules.glob("@esbuild/*/bin/esbuild"))


@pytest.fixture(scope="session")
def runtime(esbuild: Path, node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> BuiltRuntime:
    return build(esbuild, node_modules, tmp_path_factory.mktemp("runtime"))


@pytest.fixture
def make_push(esbuild: Path, node_modules: Path, tmp_path: Path) -> MakePush:
    """`make_push(files, components={"counter": files}, env={})`: files by path inside the functions folder.

    A component is imported as `./<definition path>/convex.config`.
    """

    def make(files: Files, components: Mapping[str, Files] | None = None, env: Mapping[str, str] | None = None) -> Push:
        children = {f"./{name}/convex.config": name for name in components or {}}
        app = _component(esbuild, tmp_path / "app", "", files, children)
        others = [
            _component(esbuild, tmp_path / name.replace("/", "_"), name, theirs, children)
            for name, theirs in (components or {}).items()
        ]
        return Push(app, tuple(others), env or {})

    return make


def _component(esbuild: Path, root: Path, path: str, files: Files, children: Mapping[str, str]) -> ComponentSource:
    for name, text in files.items():
        file = root / "convex" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for environment in ("isolate", "node"):
        entries = [name for name in files if _environment(files[name]) == environment and not name.startswith("_")]
        if entries:
            _esbuild(esbuild, root, entries, environment, children)
    modules = tuple(_module(root, name, files[name]) for name in files if not name.startswith("_"))
    return ComponentSource(path, modules, children)


def _environment(text: str) -> str:
    return "node" if text.lstrip().startswith(('"use node"', "'use node'")) else "isolate"


def _esbuild(esbuild: Path, root: Path, entries: list[str], environment: str, children: Mapping[str, str]) -> None:
    command = [
        str(esbuild),
        *(f"convex/{name}" for name in entries),
        "--bundle",
        "--format=cjs",
        "--target=esnext",
        "--keep-names",
        "--sourcemap=external",
        "--sources-content=false",
        "--outdir=out",
        "--outbase=convex",
        "--log-level=warning",
        f"--platform={'node' if environment == 'node' else 'browser'}",
        "--external:convex/*",
        *(f"--external:{name}" for name in children),
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def _module(root: Path, name: str, text: str) -> Module:
    path = re.sub(r"\.tsx?$", ".js", name)
    lines = text.splitlines()
    found = (
        (re.match(r"export (?:const|function|async function) (\w+)", line), at) for at, line in enumerate(lines, 1)
    )
    positions = {match[1]: at for match, at in found if match}
    source_map = (root / "out" / f"{path}.map").read_text(encoding="utf-8")
    assert json.loads(source_map)["mappings"] or not text.strip()
    return Module(
        path=path,
        source=(root / "out" / path).read_text(encoding="utf-8"),
        environment="node" if _environment(text) == "node" else "isolate",
        source_map=source_map,
        positions=positions,
        original=f"convex/{name}",
    )
