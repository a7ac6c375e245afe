"""Getting a browser where none is found: three ways, tried in order, each with what it said when it failed.

Proven by hand: Debian's package as root, and `@sparticuz/chromium` (a binary inside an npm package), which rendered a
page and took a click. Not proven: Playwright's download, whose host could not be reached.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from convex_evals.errors import BrowserMissing
from convex_evals.graders.browser import find_browser
from convex_evals.toolchain.node import Node, NpmFailed, find_node, run_npm

PLAYWRIGHT = "playwright-core@1.65.1"
SPARTICUZ = "@sparticuz/chromium@153.0.0"
STEP_SECONDS = 900.0
SAID_CHARACTERS = 600


class _Failed(Exception):
    """One way did not work; the text says why."""


def install_browser(folder: Path, home: Path, progress: Callable[[str], None]) -> Path:
    """A browser, the one that is there or a new one; blocks. What is downloaded goes into `folder`.

    Raises BrowserMissing, saying what was tried and what a person can do.
    """
    if (found := find_browser(home, [folder])) is not None:
        return found
    ways: tuple[tuple[str, Callable[[Path], None]], ...] = (
        ("Playwright's Chromium", _from_playwright),
        ("Debian's package chromium", _from_debian),
        ("the npm package @sparticuz/chromium", _from_sparticuz),
    )
    failures = []
    for name, way in ways:
        progress(f"browser: trying {name}")
        try:
            way(folder)
        except _Failed as error:
            failures.append(f"{name}: {error}")
            continue
        if (found := find_browser(home, [folder])) is not None:
            return found
        failures.append(f"{name}: installed, but no executable was found")
    tried = "\n".join(f"- {failure}" for failure in failures)
    raise BrowserMissing(f"install Chromium, Chrome or Edge by hand; this was tried:\n{tried}")


def _from_playwright(folder: Path) -> None:
    node, packages = _package(folder, PLAYWRIGHT)
    script = f"""process.env.PLAYWRIGHT_BROWSERS_PATH = {json.dumps(str(folder))};
        process.argv.splice(1, process.argv.length, "playwright", "install", "--only-shell", "chromium");
        require({json.dumps(str(packages / "playwright-core" / "cli.js"))});"""
    _run([str(node.binary), "--use-system-ca", "--eval", script])


def _from_debian(_folder: Path) -> None:
    apt = shutil.which("apt-get")
    if sys.platform != "linux" or os.geteuid() != 0 or apt is None:
        raise _Failed("needs root on Debian or Ubuntu")
    _run([apt, "update", "--quiet"])
    _run([apt, "install", "--yes", "--quiet", "--no-install-recommends", "chromium"])


def _from_sparticuz(folder: Path) -> None:
    if sys.platform != "linux":
        raise _Failed("its binary is for Linux")
    node, packages = _package(folder, SPARTICUZ)
    module = (packages / "@sparticuz" / "chromium" / "build" / "index.js").as_uri()
    script = f"""import chromium from {json.dumps(module)};
        import {{ copyFileSync, chmodSync }} from "node:fs";
        const target = {json.dumps(str(folder / "chromium"))};
        copyFileSync(await chromium.executablePath(), target);
        chmodSync(target, 0o755);"""
    _run([str(node.binary), "--input-type=module", "--eval", script])


def _package(folder: Path, wanted: str) -> tuple[Node, Path]:
    """Node, and the node_modules folder that an npm package was installed into, its scripts off."""
    node = find_node()
    home = folder / "npm"
    home.mkdir(parents=True, exist_ok=True)
    (home / "package.json").write_text('{"private": true}', "utf-8")
    try:
        run_npm(node, ["install", wanted], folder=home, npm_cache=folder / "npm-cache", seconds=STEP_SECONDS)
    except NpmFailed as error:
        raise _Failed(str(error)) from error
    return node, home / "node_modules"


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=STEP_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _Failed(f"{type(error).__name__}: {error}") from error
    if done.returncode != 0:
        raise _Failed(done.stdout.decode("utf-8", "replace").strip()[-SAID_CHARACTERS:])
