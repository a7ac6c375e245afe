"""What a native grader is handed: the submission and the answer, fixtures, source queries, the browser.

`grade.py` fills `Materials`; a grader sees `Grading`. A fixture's port is admitted to
the trial's deployments here, to no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

import aiohttp

from convex_evals.backends.failures import CallFailed
from convex_evals.errors import BackendUnavailable, BrowserMissing, DeployFailed, boundary
from convex_evals.graders.browser import Browser
from convex_evals.graders.deployed import Deployed
from convex_evals.graders.loopback import Handler, Loopback, loopback
from convex_evals.graders.page import Page, open_app
from convex_evals.graders.source import Source
from convex_evals.types import Deployment, Eval, Files, Project
from convex_evals.workspace import read_folder

APP_ENTRIES = ("src/main.tsx", "src/main.jsx", "src/index.tsx", "src/App.tsx")
SOURCE_SUFFIXES = (".ts", ".tsx", ".js", ".jsx", ".mts", ".mjs")
LOOPBACK_HOST = "127.0.0.1"
CLEAR_SECONDS = 15.0


@runtime_checkable
class Admits(Protocol):
    """A deployment whose network is closed until a port is admitted; others need no admission."""

    def allow(self, host: str, port: int) -> None: ...


class AppBundler(Protocol):
    """The part of the toolchain that the browser needs."""

    async def bundle_app(self, entry: Path, project: Project, env: Mapping[str, str]) -> str:
        """One browser script of the app whose entry file, relative to the project, is given. Raises DeployFailed."""
        ...


@dataclass(frozen=True)
class Materials:
    """Everything that the grading of one submission draws on."""

    ev: Eval
    project: Project
    """The submission's folder."""
    files: Files
    """The submission's files."""
    response: Deployment
    answer: Callable[[], Awaitable[Deployment]]
    """Deploys the reference when it is first asked, then gives the same deployment."""
    tools: AppBundler
    browser: Browser | None = None
    """Shared by all trials; None where no eval needs one."""
    declared: MutableMapping[str, Any] = field(default_factory=dict)
    """What the reference declares, shared by all gradings of the eval; see Deployed."""


class Grading:
    """One grading: `g.response` is judged, `g.answer` is the measure."""

    def __init__(self, materials: Materials, http: aiohttp.ClientSession) -> None:
        self._materials = materials
        self._answer: Deployment | None = None
        self._ports: set[int] = set()
        self.ev = materials.ev
        self.files = materials.files
        """Path → text of the submission."""
        self.response = Deployed(http, self._locate_response, lambda: materials.files)
        """The submission."""
        self.answer = Deployed(
            http, self._locate_answer, lambda: read_folder(materials.ev.path / "answer"), materials.declared
        )
        """The reference; deployed when it is first called."""

    def source(self, path: str) -> Source:
        """Syntax-tree queries on one file of the submission. Raises AssertionError when there is no such file."""
        if path not in self.files:
            raise AssertionError(f"the submission has no {path}; it has {sorted(self.files)}")
        return Source(path, self.files[path])

    def sources(self, folder: str = "convex/") -> list[Source]:
        """All TypeScript and JavaScript files of the submission below a folder, by path, without `_generated`."""
        return [
            Source(path, text)
            for path, text in sorted(self.files.items())
            if path.startswith(folder) and "/_generated/" not in path and path.endswith(SOURCE_SUFFIXES)
        ]

    @asynccontextmanager
    async def loopback(self, handler: Handler) -> AsyncIterator[Loopback]:
        """A loopback fixture that actions of both deployments may fetch from; `fixture.url`, `fixture.requests`."""
        async with loopback(handler) as fixture:
            self._ports.add(fixture.port)
            for deployment in (self._materials.response, self._answer):
                if isinstance(deployment, Admits):
                    deployment.allow(LOOPBACK_HOST, fixture.port)
            yield fixture

    @asynccontextmanager
    async def browser(self, entry: str | None = None, env: Mapping[str, str] | None = None) -> AsyncIterator[Page]:
        """The submission's React app in a real browser, against the submission's deployment. `entry`: the file that
        mounts it, by default the first of src/main.tsx, src/main.jsx, src/index.tsx, src/App.tsx."""
        if self._materials.browser is None:
            raise BrowserMissing('this grading was started without a browser; add needs = ["browser"] to eval.toml')
        found = entry or next((path for path in APP_ENTRIES if path in self.files), None)
        if found is None or found not in self.files:
            raise AssertionError(
                f"the submission has no {found or ' or '.join(APP_ENTRIES)}; it has {sorted(self.files)}"
            )
        url = self._materials.response.url
        variables = {"VITE_CONVEX_URL": url, "CONVEX_URL": url, "NEXT_PUBLIC_CONVEX_URL": url, **(env or {})}
        project = self._materials.project
        try:
            app = await self._materials.tools.bundle_app(Path(found), project, variables)
        except DeployFailed as error:
            raise AssertionError(f"the app cannot be built: {error}") from error
        ports = [port_of(url), port_of(self._materials.response.site_url), *sorted(self._ports)]
        async with open_app(self._materials.browser, app, ports) as page:
            yield page

    async def clear(self) -> None:
        """Empty all tables of both deployments; the answer's only when it runs. Raises AssertionError for a submission
        that fills its tables faster than they are emptied."""
        with boundary(BackendUnavailable, "emptying the tables before a test", CallFailed):
            try:
                async with asyncio.timeout(CLEAR_SECONDS):
                    await self.response.clear_all()
            except TimeoutError:
                text = f"the submission keeps writing: its tables were not empty after {CLEAR_SECONDS:g} s of deleting"
                raise AssertionError(text) from None
            if self._answer is not None:
                await self.answer.clear_all()

    async def _locate_response(self) -> Deployment:
        return self._materials.response

    async def _locate_answer(self) -> Deployment:
        if self._answer is None:
            self._answer = await self._materials.answer()
            if isinstance(self._answer, Admits):
                for port in self._ports:
                    self._answer.allow(LOOPBACK_HOST, port)
        return self._answer


@asynccontextmanager
async def open_grading(materials: Materials) -> AsyncIterator[Grading]:
    """A grading with its HTTP connections, closed at the end."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Grading(materials, http)


def port_of(url: str) -> int:
    """The port of a URL, the scheme's own when it names none."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
