"""Bundles the runtime of the sandbox: `ts/` and the npm package `convex` become scripts that Deno runs as they are.

Needs the esbuild binary and a node_modules folder with `convex` and `@jridgewell/sourcemap-codec`; no network, no Deno.
The caller caches the result by the content of what went in.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent / "ts"
BUILD_SECONDS = 60
_NPM = (
    "--format=cjs",
    "--platform=browser",
    "--conditions=convex,module",
    "--minify-syntax",
    "--minify-whitespace",
    '--define:process.env.NODE_ENV="production"',
)


@dataclass(frozen=True)
class BuiltRuntime:
    """What the sandbox starts."""

    main: Path
    """The Deno program; it holds all else as text."""
    provided: Path
    """convex/server and convex/values as one CommonJS script."""


def runtime_at(folder: Path) -> BuiltRuntime:
    """The runtime that was built into a folder."""
    return BuiltRuntime(folder / "main.js", folder / "provided.txt")


class BuildFailed(Exception):
    """esbuild refused; its output is the message. Our fault, or a broken tool set."""


def build(esbuild: Path, node_modules: Path, out: Path) -> BuiltRuntime:
    """Write the bundles into `out`. Blocking, about 0.1 s. Raises BuildFailed."""
    out.mkdir(parents=True, exist_ok=True)
    # Absolute: esbuild runs elsewhere.
    esbuild, node_modules, out = esbuild.absolute(), node_modules.absolute(), out.absolute()
    realm, provided, browser, main = (out / name for name in ("realm.txt", "provided.txt", "browser.txt", "main.js"))
    _run(esbuild, node_modules, SOURCES / "provided.js", provided, *_NPM)
    _run(esbuild, node_modules, SOURCES / "browser.js", browser, *_NPM)
    _run(esbuild, node_modules, SOURCES / "realm" / "main.ts", realm, "--format=cjs", "--platform=neutral")
    # The script's value is the function that furnishes a realm.
    body = realm.read_text(encoding="utf-8")
    realm.write_text(f"(() => {{ const module = {{}};\n{body}\nreturn module.exports.install; }})()", encoding="utf-8")
    aliases = (("realm", realm), ("provided", provided), ("browser", browser))
    texts = ("--loader:.txt=text", *(f"--alias:{name}-source={path}" for name, path in aliases))
    _run(
        esbuild,
        node_modules,
        SOURCES / "main.ts",
        main,
        "--format=esm",
        "--platform=neutral",
        "--external:node:*",
        *texts,
    )
    return runtime_at(out)


def _run(esbuild: Path, node_modules: Path, entry: Path, out: Path, *options: str) -> None:
    command = [
        str(esbuild),
        str(entry),
        "--bundle",
        f"--outfile={out}",
        "--target=esnext",
        "--log-level=warning",
        *options,
    ]
    done = subprocess.run(
        command,
        cwd=SOURCES,
        env={"NODE_PATH": str(node_modules)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise BuildFailed(f"esbuild could not bundle {entry.name}:\n{done.stderr.decode(errors='replace')}")
