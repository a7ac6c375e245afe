"""The ordered checks of one submission: files, install, deploy, typecheck, lint, behaviour.

The only place that knows their order and what depends on what. Knows no model and stores nothing. Raises TrialFailed
when there can be no verdict; whatever the submission does wrong is a failing check.
"""

from __future__ import annotations

import asyncio
import platform
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from convex_evals.backends.embedded import EmbeddedBackend
from convex_evals.errors import DeployFailed, GraderBroken, InstallFailed, ModelFailed, ReplyUnusable
from convex_evals.graders.browser import Browser, find_browser
from convex_evals.graders.grading import Materials, open_grading
from convex_evals.graders.python import GRADER_FILE, GraderRun, discover, load, run_python
from convex_evals.graders.vitest import Vitest
from convex_evals.toolchain import Finding, Toolchain
from convex_evals.types import (
    CHECKS,
    Backend,
    Check,
    CheckName,
    Deployment,
    Eval,
    Project,
    Score,
    Status,
    Submission,
    TestResult,
)
from convex_evals.workspace import read_folder, write_files

T = TypeVar("T")


@dataclass
class _Sheet:
    """The checks of one grading as they come in."""

    ev: Eval
    declared: tuple[str, ...]
    """Names of the behaviour tests, so that a grading that never reaches them counts them all."""
    done: dict[CheckName, Check] = field(default_factory=dict)

    def score(self) -> Score:
        """What was not reached is skipped."""
        skipped = {name: TestResult("skip") for name in self.declared}
        blank = {name: Check(name, "skip", tests=skipped if name == "behaviour" else {}) for name in CHECKS}
        return Score(tuple({**blank, **self.done}[name] for name in CHECKS), self.ev.checks)

    async def step(self, name: CheckName, work: Awaitable[T]) -> T | None:
        """The result of a step; None, and a failing check, when the submission is at fault."""
        started = perf_counter()
        try:
            result = await work
        except ModelFailed as error:
            self.done[name] = Check(name, "fail", perf_counter() - started, str(error))
            return None
        self.done[name] = Check(name, "pass", perf_counter() - started)
        return result

    async def findings(self, name: CheckName, work: Awaitable[tuple[Finding, ...]]) -> None:
        """A check that lists findings and fails when one of them counts."""
        started = perf_counter()
        found = await work
        status: Status = "fail" if any(finding.counts for finding in found) else "pass"
        detail = "\n".join(str(finding) for finding in sorted(found, key=lambda finding: not finding.counts))
        self.done[name] = Check(name, status, perf_counter() - started, detail)


@dataclass(frozen=True)
class Nowhere:
    """Stands where a deployment would, for evals whose grader reads the project and calls nothing."""

    url: str = "http://127.0.0.1:9"
    site_url: str = "http://127.0.0.1:9"
    admin_key: str = ""

    async def close(self) -> None:
        """Nothing to end."""


class Grader:
    """Grades submissions, any number at once; start and close belong to whoever made its parts."""

    def __init__(
        self,
        tools: Toolchain,
        backend: Backend,
        *,
        browser: Browser | None = None,
        vitest: Vitest | None = None,
        lanes: int = 4,
    ) -> None:
        """`lanes`: deployments that are judged at once. Type checks are not held up by them: they are cheaper the
        more of them run together (measured: 116 ms of CPU alone, 42 ms in a batch of eight)."""
        self._tools = tools
        self._backend = backend
        self._browser = browser
        self._vitest = vitest
        self._lanes = asyncio.Semaphore(lanes)
        self._declared_by_answers: dict[str, dict[str, Any]] = {}
        self._verdicts_on_answers: dict[str, asyncio.Task[frozenset[str]]] = {}
        self.backend_name, self.backend_version = backend.name, backend.version
        packages = {name: version(name) for name in ("deno", "inspect-ai", "tree-sitter-typescript")}
        self.tool_versions = {**tools.versions, **packages, "python": platform.python_version()}
        """With the backend's name and version: what a run records about who judged."""

    async def grade(self, ev: Eval, submission: Submission) -> Score:
        """The verdict on a submission. Raises TrialFailed when none can be given."""
        score, run = await self._grade(ev, submission)
        suspects = run.not_assertions if run is not None else {}
        if suspects and suspects.keys() & await self._broken_on_answer(ev):
            first = next(iter(suspects.values()))
            raise GraderBroken(f"{ev.id}: {', '.join(suspects)} breaks on the reference answer too: {first}")
        return score

    async def _grade(self, ev: Eval, submission: Submission) -> tuple[Score, GraderRun | None]:
        sheet = _Sheet(ev, declared_tests(ev))
        with tempfile.TemporaryDirectory(prefix="convex-evals-") as scratch:
            root = Path(scratch, "submission")
            if await sheet.step("files", _write(submission, root)) is None:
                return sheet.score(), None
            project = await sheet.step("install", self._install(ev, submission, root))
            if project is None or await sheet.step("deploy", self._prepared(project)) is None:
                return sheet.score(), None
            outcome = await self._checks(ev, submission, project, sheet)
        return sheet.score(), outcome

    async def _checks(self, ev: Eval, submission: Submission, project: Project, sheet: _Sheet) -> GraderRun | None:
        """Deploy and behaviour one after the other, type check and lint beside them."""
        static = asyncio.gather(
            sheet.findings("typecheck", self._tools.typecheck(project)),
            sheet.findings("lint", self._tools.lint(project)),
        )
        judged = False
        try:
            async with self._lanes:
                run = await self._deployed(ev, submission, project, sheet)
            judged = True
        finally:
            if not judged:  # interrupted, or no verdict can be had: nobody waits for an endless type check
                static.cancel()
                await asyncio.gather(static, return_exceptions=True)
        await static
        return run

    async def _deployed(self, ev: Eval, submission: Submission, project: Project, sheet: _Sheet) -> GraderRun | None:
        if "static" in ev.tags:
            return await self._behaviour(ev, submission, project, Nowhere(), sheet)
        deployment = await sheet.step("deploy", self._backend.deploy(project))
        if deployment is None:
            return None
        try:
            return await self._behaviour(ev, submission, project, deployment, sheet)
        finally:
            await deployment.close()

    async def _behaviour(
        self, ev: Eval, submission: Submission, project: Project, deployment: Deployment, sheet: _Sheet
    ) -> GraderRun:
        started = perf_counter()
        async with _Answer(self, ev) as answer:
            outcome = await self._run_grader(
                Materials(
                    ev,
                    project,
                    submission.files,
                    deployment,
                    answer.deployment,
                    self._tools,
                    self._browser,
                    self._declared_by_answers.setdefault(ev.hash, {}),
                )
            )
        failed = [name for name, test in outcome.tests.items() if test.status == "fail"]
        detail = "\n".join(f"{name}: {outcome.tests[name].message}" for name in failed)
        status: Status = (
            "fail" if failed or not any(test.status == "pass" for test in outcome.tests.values()) else "pass"
        )
        sheet.done["behaviour"] = Check("behaviour", status, perf_counter() - started, detail, outcome.tests)
        return outcome

    async def _run_grader(self, materials: Materials) -> GraderRun:
        if materials.ev.layout == "native":
            async with open_grading(materials) as grading:
                return await run_python(materials.ev, grading)
        if self._vitest is None:
            raise GraderBroken(f"{materials.ev.id}: a suite in the public layout needs Vitest; this grader has none")
        return await self._vitest.run(materials)

    async def _install(self, ev: Eval, submission: Submission, root: Path) -> Project:
        return Project(root, ev.env, ev.network, await self._tools.install(submission.files))

    async def _prepared(self, project: Project) -> Project:
        """Code generated, compiler settings and dependencies in place; refuses module names that Convex refuses."""
        await self._tools.prepare(project)
        return project

    async def deploy_answer(self, ev: Eval, root: Path) -> Deployment:
        """The reference, deployed. What it does wrong is never the submission's doing: raises GraderBroken."""
        files = read_folder(ev.path / "answer")
        try:
            write_files(files, root)
            project = await self._prepared(await self._install(ev, Submission(files), root))
            return await self._backend.deploy(project)
        except (ReplyUnusable, InstallFailed, DeployFailed) as error:
            raise GraderBroken(f"{ev.id}: the reference answer does not deploy: {error}") from error

    async def _broken_on_answer(self, ev: Eval) -> frozenset[str]:
        """Tests that raise something other than an assertion on the reference; found out once for each eval."""
        if ev.hash not in self._verdicts_on_answers:
            work = self._grade(ev, Submission(read_folder(ev.path / "answer")))
            self._verdicts_on_answers[ev.hash] = asyncio.create_task(_broken(work))
        return await self._verdicts_on_answers[ev.hash]


def declared_tests(ev: Eval) -> tuple[str, ...]:
    """Names of the behaviour tests where they are known before they run: native graders only."""
    return tuple(discover(load(ev.path / GRADER_FILE))) if ev.layout == "native" else ()


async def _broken(work: Awaitable[tuple[Score, GraderRun | None]]) -> frozenset[str]:
    _, outcome = await work
    return frozenset(outcome.not_assertions) if outcome is not None else frozenset()


async def _write(submission: Submission, root: Path) -> bool:
    if submission.problem is not None:
        raise ReplyUnusable(submission.problem)
    write_files(submission.files, root)
    return True


class _Answer:
    """The reference beside one submission: deployed when first asked for, closed with the grading."""

    def __init__(self, grader: Grader, ev: Eval) -> None:
        self._grader, self._ev = grader, ev
        self._root = Path(tempfile.mkdtemp(prefix="convex-evals-answer-"))
        self._task: asyncio.Task[Deployment] | None = None

    async def __aenter__(self) -> _Answer:
        return self

    async def deployment(self) -> Deployment:
        if self._task is None:
            self._task = asyncio.create_task(self._grader.deploy_answer(self._ev, self._root / "answer"))
        return await self._task

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None and not self._task.cancelled():
            (done,) = await asyncio.gather(self._task, return_exceptions=True)
            if not isinstance(done, BaseException):
                await done.close()
        shutil.rmtree(self._root, ignore_errors=True)


@asynccontextmanager
async def open_grader(cache: Path, home: Path, admin_key: str | None = None, lanes: int = 4) -> AsyncIterator[Grader]:
    """A grader with everything it needs, on the embedded backend; closed at the end.

    `home` is looked through for a browser. `admin_key`: the constant one that a public suite's helpers carry.
    Raises SetupError when `convex-evals setup` has not been run.
    """
    tools = await Toolchain.start(cache)
    browser = Browser(find_browser(home, [cache / "browser"]))
    try:
        backend = await EmbeddedBackend.start(tools, cache, admin_key)
        try:
            yield Grader(tools, backend, browser=browser, vitest=Vitest(tools, cache / "suites"), lanes=lanes)
        finally:
            await backend.close()
    finally:
        await browser.close()
        await tools.close()
