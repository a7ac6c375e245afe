"""A dictionary of sources → a Push: the least that a bundler has to do. Positions are found by a regular expression."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from convex_embedded.types import ComponentSource, Module, Push

GENERATED = {
    "_generated/server.js": """
import { actionGeneric, httpActionGeneric, queryGeneric, mutationGeneric,
  internalActionGeneric, internalMutationGeneric, internalQueryGeneric } from "convex/server";
export const query = queryGeneric, mutation = mutationGeneric, action = actionGeneric;
export const internalQuery = internalQueryGeneric, internalMutation = internalMutationGeneric;
export const internalAction = internalActionGeneric, httpAction = httpActionGeneric;
""",
    "_generated/api.js": """
import { anyApi, componentsGeneric } from "convex/server";
export const api = anyApi, internal = anyApi, components = componentsGeneric();
""",
}
OPTIONS = (
    "--bundle",
    "--format=cjs",
    "--target=esnext",
    "--keep-names",
    "--sourcemap=external",
    "--external:convex/server",
    "--external:convex/values",
    "--external:convex/browser",
    "--log-level=warning",
)


def push_of(files: Mapping[str, str], folder: Path, esbuild: Path, env: Mapping[str, str]) -> Push:
    """`files`: path below convex/ → source. A folder with a convex.config.ts of its own is a component."""
    roots = sorted(path.removesuffix("/convex.config.ts") for path in files if path.endswith("/convex.config.ts"))
    for path, source in files.items():
        write(folder / "convex" / path, source)
    for root in ("", *roots):
        for path, source in GENERATED.items():
            write(folder / "convex" / root / path, source)
    parts = []
    for root in ("", *roots):
        inside = [p for p in files if p.startswith(f"{root}/" if root else "")]
        own = [p for p in inside if not any(p.startswith(f"{r}/") for r in roots if r != root and len(r) > len(root))]
        modules = tuple(bundle(folder, root, path, files[path], esbuild) for path in sorted(own))
        children = re.findall(r'from "(\.[^"]*/convex\.config[^"]*)"', files.get(join(root, "convex.config.ts"), ""))
        parts.append(ComponentSource(root, modules, {name: resolve(root, name) for name in children}))
    return Push(parts[0], tuple(parts[1:]), env)


def join(root: str, path: str) -> str:
    return f"{root}/{path}" if root else path


def resolve(root: str, name: str) -> str:
    return join(root, name.removeprefix("./").removesuffix(".js").removesuffix("/convex.config"))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def bundle(folder: Path, root: str, path: str, source: str, esbuild: Path) -> Module:
    node = source.lstrip().startswith('"use node"')
    out = folder / "out" / path.replace(".ts", ".js")
    command = [
        str(esbuild),
        f"convex/{path}",
        f"--outfile={out}",
        *OPTIONS,
        f"--platform={'node' if node else 'browser'}",
    ]
    if path.endswith("convex.config.ts"):
        command.append("--external:*/convex.config")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    positions = {m.group(1): source[: m.start()].count("\n") + 1 for m in re.finditer(r"export const (\w+)", source)}
    return Module(
        path=path.removeprefix(f"{root}/" if root else "").replace(".ts", ".js"),
        source=out.read_text(encoding="utf-8"),
        environment="node" if node else "isolate",
        source_map=out.with_suffix(".js.map").read_text(encoding="utf-8"),
        positions=positions,
        original=f"convex/{path}",
    )
