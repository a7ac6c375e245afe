"""`convex-evals doctor`: what this machine has, and what protects it from generated code."""

from __future__ import annotations

import asyncio
import json
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from convex_evals.cli.exits import PASSED, SETUP
from convex_evals.cli.options import cache_folder


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    said: str
    needed: bool = True
    """False: runs work without it."""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="A JSON array with one object for each thing looked at.")
def command(as_json: bool) -> int:
    """Look at what runs need, try the sandbox, and say what is missing and what to do."""
    findings = asyncio.run(_look())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = "ok  " if finding.ok else ("FAIL" if finding.needed else "none")
            click.echo(f"{mark} {finding.name}: {finding.said}")
    return PASSED if all(finding.ok or not finding.needed for finding in findings) else SETUP


async def _look() -> list[Finding]:
    from convex_evals.errors import EvalsError
    from convex_evals.toolchain import Toolchain

    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    findings = [Finding("machine", sys.version_info >= (3, 11), system)]
    cache = cache_folder()
    try:
        tools = await Toolchain.start(cache)
    except EvalsError as error:
        return [*findings, Finding("tools", False, str(error)), _browser(cache)]
    try:
        versions = ", ".join(f"{name} {version}" for name, version in sorted(tools.versions.items()))
        findings.append(Finding("tools", True, f"{versions}; in {cache}"))
        findings += await _sandbox(tools, cache)
    finally:
        await tools.close()
    return [*findings, _browser(cache)]


async def _sandbox(tools: object, cache: Path) -> list[Finding]:
    """Deploy the reference of the smallest eval, and a project that tries to read a file."""
    from convex_evals.backends.embedded import EmbeddedBackend
    from convex_evals.errors import EvalsError
    from convex_evals.grade import Grader
    from convex_evals.suite import find, load_suite
    from convex_evals.types import Submission
    from convex_evals.workspace import read_folder

    ev = find(load_suite(), "fundamentals/empty_functions")
    answer = read_folder(ev.path / "answer")
    try:
        backend = await EmbeddedBackend.start(tools, cache)  # type: ignore[arg-type]
        try:
            score = await Grader(tools, backend).grade(ev, Submission(answer))  # type: ignore[arg-type]
        finally:
            await backend.close()
    except EvalsError as error:
        return [Finding("backend", False, str(error))]
    detail = "" if score.first_failure is None else score.first_failure.detail
    said = f"{backend.name} {backend.version} grades a reference answer" if score.passed else detail
    protection = (
        "generated code runs in a Deno process without permissions (no files, environment, subprocesses, network but "
        "through our proxy), with limits on time, memory and output; no namespaces or cgroups are used"
    )
    return [Finding("backend", score.passed, said), Finding("protection", True, protection)]


def _browser(cache: Path) -> Finding:
    from convex_evals.graders.browser import find_browser

    found = find_browser(Path.home(), [cache / "browser"])
    missing = "no Chromium, Chrome or Edge: client evals end as errors. `convex-evals setup --browser` installs one"
    return Finding("browser", found is not None, str(found or missing), needed=False)
