"""The real browser of client evals: found, started once, shared by trials that each get a fresh profile.

What it does not cover: as root Chromium runs without its own sandbox, so a page that breaks out of the renderer is held
by nothing of ours. Everything else of the network is closed by `browser_gate`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from convex_evals.errors import BrowserMissing, ToolFailed, boundary
from convex_evals.graders.browser_cdp import DevTools, DevToolsError
from convex_evals.graders.processes import end_group

START_SECONDS = 30.0
END_SECONDS = 3.0
NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "microsoft-edge-stable",
    "microsoft-edge",
    "msedge",
)
MAC_APPS = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
LINUX_PLACES = ("/usr/bin", "/usr/local/bin", "/snap/bin", "/opt/google/chrome", "/opt/microsoft/msedge")
PLAYWRIGHT_PATTERNS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium_headless_shell-*/chrome-*/*headless*shell",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)
FLAGS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,InterestFeedContentSuggestions",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-pings",
    "--password-store=basic",
    "--use-mock-keychain",
    # Nothing outside a gated profile reaches anything: the default profile's proxy does not exist.
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
)


def find_browser(home: Path, search: Iterable[Path] = ()) -> Path | None:
    """Chromium, Chrome or Edge: in the given folders (also as Playwright downloads it), on PATH, in the usual places,
    in Playwright's own cache."""
    for folder in search:
        for name in (*NAMES, "chrome-headless-shell", "headless_shell"):
            if os.access(folder / name, os.X_OK):
                return folder / name
        for found in _downloaded(folder):
            if os.access(found, os.X_OK):
                return found
    on_path = (shutil.which(name) for name in NAMES)
    places = (Path(place) / name for place in LINUX_PLACES for name in NAMES)
    apps = (root / app for root in (Path("/Applications"), home / "Applications") for app in MAC_APPS)
    for found in [*(Path(path) for path in on_path if path), *places, *apps, *_playwright(home)]:
        if os.access(found, os.X_OK):
            return found
    return None


def _playwright(home: Path) -> list[Path]:
    caches = (home / ".cache/ms-playwright", home / "Library/Caches/ms-playwright")
    return [path for cache in caches for path in _downloaded(cache)]


def _downloaded(cache: Path) -> list[Path]:
    """What Playwright keeps in a folder of its own."""
    return [path for pattern in PLAYWRIGHT_PATTERNS for path in sorted(cache.glob(pattern))]


class Browser:
    """One browser process, started on first use."""

    def __init__(self, executable: Path | None) -> None:
        self._executable = executable
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self._devtools: DevTools | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None

    @asynccontextmanager
    async def profile(self, proxy: str) -> AsyncIterator[tuple[DevTools, str]]:
        """A page in a fresh profile whose whole traffic goes to `proxy`: the connection and the page's session.

        Raises BrowserMissing, ToolFailed."""
        devtools = await self._running()
        opening = "opening a page in the browser"
        with boundary(ToolFailed, opening, DevToolsError):
            context = await devtools.command(
                "Target.createBrowserContext", proxyServer=proxy, proxyBypassList="<-loopback>", disposeOnDetach=True
            )
        name = context["browserContextId"]
        try:
            with boundary(ToolFailed, opening, DevToolsError):
                target = await devtools.command("Target.createTarget", url="about:blank", browserContextId=name)
                attached = await devtools.command("Target.attachToTarget", targetId=target["targetId"], flatten=True)
                for domain in ("Runtime", "Page"):
                    await devtools.command(f"{domain}.enable", attached["sessionId"])
            yield devtools, attached["sessionId"]
        finally:
            with suppress(DevToolsError):
                await devtools.command("Target.disposeBrowserContext", browserContextId=name)

    async def version(self) -> str:
        """Product and version, e.g. "Chrome/142.0.7444.59"."""
        answer = await (await self._running()).command("Browser.getVersion")
        return str(answer["product"])

    async def close(self) -> None:
        """End the process and remove its profile. May be called twice."""
        if self._devtools is not None:
            with suppress(DevToolsError):
                await self._devtools.command("Browser.close")
            await self._devtools.close()
        if self._http is not None:
            await self._http.close()
        if self._process is not None:
            await _end(self._process)
        if self._home is not None:
            await asyncio.to_thread(self._home.cleanup)
        self._devtools = self._http = self._process = self._home = None

    async def _running(self) -> DevTools:
        async with self._starting:
            if self._devtools is not None and self._devtools.alive:
                return self._devtools
            await self.close()
            if self._executable is None:
                raise BrowserMissing("no Chromium, Chrome or Edge found; run `convex-evals setup --browser`")
            self._home = tempfile.TemporaryDirectory(prefix="convex-evals-browser-", ignore_cleanup_errors=True)
            try:
                self._devtools = await self._start(self._executable, Path(self._home.name))
            finally:
                if self._devtools is None:
                    await self.close()
            return self._devtools

    async def _start(self, executable: Path, home: Path) -> DevTools:
        flags = [*FLAGS, f"--user-data-dir={home / 'profile'}", f"--crash-dumps-dir={home}"]
        if sys.platform == "linux" and os.geteuid() == 0:
            flags.append("--no-sandbox")
        self._process = await asyncio.create_subprocess_exec(
            str(executable),
            *flags,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,
        )
        address = await _address(executable, self._process, home / "profile" / "DevToolsActivePort")
        self._http = aiohttp.ClientSession()
        try:
            socket = await self._http.ws_connect(address, max_msg_size=0)
        except aiohttp.ClientError as error:
            raise BrowserMissing(f"{executable} does not speak the DevTools protocol: {error}") from error
        return DevTools(socket)


async def _address(executable: Path, process: asyncio.subprocess.Process, file: Path) -> str:
    """The DevTools address, which the browser writes into its profile when it is ready."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_SECONDS
    while loop.time() < deadline and process.returncode is None:
        if file.exists() and len(lines := file.read_text().split()) >= 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        await asyncio.sleep(0.02)
    state = "does not get ready" if process.returncode is None else f"ended with {process.returncode}"
    raise BrowserMissing(f"{executable} {state} within {START_SECONDS:g} s; try it by hand with --headless=new")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Give the process a moment to end by itself, then kill what is left of it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    await end_group(process)
