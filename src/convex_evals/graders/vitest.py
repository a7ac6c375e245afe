"""Runs the unchanged `grader.test.ts` of a suite in the public layout, under the suite's own Vitest.

The grader's process gets a copy of the suite, an environment of a few names, a home of its own and the ports of the two
deployments. What it does not get: a namespace of its own. A suite is code that its user chose to run.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from convex_evals.errors import ToolFailed
from convex_evals.graders.grading import LOOPBACK_HOST, Admits, Materials, port_of
from convex_evals.graders.processes import end_group
from convex_evals.graders.python import GraderRun
from convex_evals.graders.suite_mirror import Mirror, SuiteTools, mirror, vitest_script
from convex_evals.graders.vitest_ports import port_reports
from convex_evals.graders.vitest_report import broken_run, read_report
from convex_evals.types import Deployment

RUN_SECONDS = 300.0
OUTPUT_BYTES = 64 * 1024
PRELOAD = Path(__file__).with_name("vitest_preload.mjs")
_BLOCK = 64 * 1024


class Vitest:
    """Runs graders of public suites; as many at once as there are processors."""

    def __init__(self, tools: SuiteTools, folder: Path) -> None:
        self._tools = tools
        self._folder = folder
        self._places = asyncio.Semaphore(os.cpu_count() or 1)
        self._copying = asyncio.Lock()

    async def run(self, materials: Materials) -> GraderRun:
        """Run the grader of one submission. Raises SetupError for a suite that lacks what it needs, ToolFailed."""
        async with self._copying:
            copy = await mirror(materials.ev, self._tools, self._folder)
        response = materials.response
        static = "static" in materials.ev.tags
        answer = response if static else await materials.answer()

        def admit(port: int) -> None:
            for deployment in (response, answer):
                if isinstance(deployment, Admits):
                    deployment.allow(LOOPBACK_HOST, port)
                    deployment.allow("localhost", port)

        async with self._places, port_reports(admit) as reports:
            with tempfile.TemporaryDirectory(prefix="convex-evals-vitest-") as home:
                env = environment(self._tools.node, Path(home), reports)
                env |= addresses(response, answer, materials.project.path)
                return await self._run(copy, env, Path(home))

    async def _run(self, copy: Mirror, env: dict[str, str], home: Path) -> GraderRun:
        report = home / "report.json"
        try:
            process = await asyncio.create_subprocess_exec(
                str(self._tools.node),
                str(vitest_script(copy.root)),
                "run",
                copy.grader.as_posix(),
                f"--root={copy.root}",
                "--reporter=json",
                f"--outputFile={report}",
                cwd=copy.root,
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolFailed(f"vitest could not be started: {error}") from error
        assert process.stdout is not None
        reading = asyncio.create_task(_tail(process.stdout))
        try:
            async with asyncio.timeout(RUN_SECONDS):
                status = await process.wait()
        except TimeoutError:
            return broken_run(f"the grader did not finish within {RUN_SECONDS:g} s")
        finally:
            await end_group(process)
            output = await reading
        where = f"{copy.root}{os.sep}"
        said = output.decode("utf-8", "replace").replace(where, "")
        if not report.is_file():
            return broken_run(f"vitest ended with status {status} and wrote no report; it said: {said}")
        return read_report(report.read_text("utf-8").replace(where, ""), status, said)


def environment(node: Path, home: Path, reports: int) -> dict[str, str]:
    """All that a grader's process inherits: nothing of ours."""
    system = {"SYSTEMROOT": "C:\\Windows"} if sys.platform == "win32" else {}
    return {
        **system,
        "PATH": os.pathsep.join([str(node.parent), "/usr/bin", "/bin"]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "CI": "1",
        "NO_COLOR": "1",
        "NODE_OPTIONS": f"--import={PRELOAD.as_uri()}",
        "CONVEX_EVALS_PORTS": str(reports),
    }


def addresses(response: Deployment, answer: Deployment, submission: Path) -> dict[str, str]:
    """What a grader in the public layout reads: ports of the two deployments, folder of the submission."""
    return {
        "CONVEX_PORT": str(port_of(response.url)),
        "CONVEX_SITE_PORT": str(port_of(response.site_url)),
        "CONVEX_ANSWER_PORT": str(port_of(answer.url)),
        "MODEL_OUTPUT_DIR": str(submission),
    }


async def _tail(stream: asyncio.StreamReader) -> bytes:
    """The end of what a process prints; a flood costs no memory."""
    kept = b""
    while block := await stream.read(_BLOCK):
        kept = (kept + block)[-OUTPUT_BYTES:]
    return kept
