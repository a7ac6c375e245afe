"""A page of the real browser with the submission's app in it, as a grader uses it.

The app is served from a loopback port of ours; the page reaches that port, its trial's deployment and nothing else.
No admin key ever enters a page.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from convex_evals.errors import ToolFailed
from convex_evals.graders.browser import Browser
from convex_evals.graders.browser_cdp import DevTools, DevToolsError
from convex_evals.graders.browser_gate import gate
from convex_evals.graders.loopback import Recorded, loopback
from convex_evals.graders.waiting import wait_until

ELEMENT_SECONDS = 5.0
EVENTS_KEPT = 200
HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>app</title></head>
<body><div id="root"></div><script src="/app.js"></script></body></html>"""

# Finds the elements that a selector names: CSS, or "text=…", "label=…", "placeholder=…" for what a person sees.
FIND = """(selector) => {
  const clean = (text) => String(text ?? "").replace(/\\s+/g, " ").trim();
  const all = (css) => [...document.querySelectorAll(css)];
  const split = selector.indexOf("=");
  const kind = selector.slice(0, split), wanted = clean(selector.slice(split + 1));
  if (kind === "text") {
    const named = all("body *").filter((e) => !["SCRIPT", "STYLE"].includes(e.tagName) &&
      [e.innerText, e.value, e.getAttribute("aria-label")].some((text) => clean(text) === wanted));
    return named.filter((e) => !named.some((other) => other !== e && e.contains(other)));
  }
  if (kind === "label") {
    const labels = all("label").filter((e) => clean(e.innerText) === wanted).map((e) => e.control).filter(Boolean);
    return [...labels, ...all("[aria-label]").filter((e) => clean(e.getAttribute("aria-label")) === wanted)];
  }
  if (kind === "placeholder") return all("[placeholder]").filter((e) => clean(e.placeholder) === wanted);
  return all(selector);
}"""


class Page:
    """One open page. Selectors are CSS, or "text=Send", "label=Name", "placeholder=Your name"."""

    def __init__(self, devtools: DevTools, session: str) -> None:
        self._devtools = devtools
        self._session = session
        self.errors: list[str] = []
        """Uncaught exceptions and console.error lines, oldest first."""
        self.refused: list[str] = []
        """"host:port" of what the page, or the browser for itself, tried to reach and must not."""

    async def open(self, url: str) -> None:
        """Go to an address of the trial's own."""
        await self._command("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """JSON value of a JavaScript expression, a promise awaited. Raises AssertionError when it throws."""
        answer = await self._command(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"in the page: {_thrown(answer['exceptionDetails'])}")
        return answer["result"].get("value")

    async def text(self) -> str:
        """The text that a person sees on the page."""
        return str(await self.evaluate("document.body ? document.body.innerText : ''"))

    async def texts(self, selector: str) -> list[str]:
        """The visible text of each element, in document order."""
        return list(await self._elements(selector, "found.map((e) => e.innerText.trim())"))

    async def count(self, selector: str) -> int:
        """How many elements there are."""
        return int(await self._elements(selector, "found.length"))

    async def value(self, selector: str) -> str:
        """The value of the first such input."""
        await self._point(selector)
        return str(await self._elements(selector, "found[0].value"))

    async def wait_for_text(self, text: str, *, seconds: float = 10.0) -> None:
        """Wait until the page shows this text. Raises AssertionError with what it shows instead."""

        async def shown() -> bool:
            present = await self.text()
            if text not in present:
                raise AssertionError(f"the page shows {present[:500]!r}{self._complaints()}")
            return True

        await wait_until(shown, seconds=seconds, what=f"text {text!r} on the page")

    async def wait_for_no_text(self, text: str, *, seconds: float = 10.0) -> None:
        """Wait until the page no longer shows this text."""

        async def gone() -> bool:
            return text not in await self.text()

        await wait_until(gone, seconds=seconds, what=f"text {text!r} gone from the page")

    async def wait_for(self, selector: str, *, count: int | None = None, seconds: float = 10.0) -> None:
        """Wait until there is such an element, or exactly `count` of them."""

        async def there() -> bool:
            present = await self.count(selector)
            if present != count if count is not None else not present:
                raise AssertionError(f"{present} found on {(await self.text())[:500]!r}{self._complaints()}")
            return True

        wanted = "an element" if count is None else f"{count} elements"
        await wait_until(there, seconds=seconds, what=f"{wanted} {selector!r}")

    async def click(self, selector: str) -> None:
        """Click the first such element, once it is visible and enabled, with a real mouse event."""
        x, y = await self._point(selector)
        for kind in ("mousePressed", "mouseReleased"):
            await self._command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def fill(self, selector: str, text: str) -> None:
        """Replace the text of the first such input as typing does, with real input events."""
        await self._point(selector)
        await self._elements(selector, "(found[0].focus(), found[0].select?.(), null)")
        if text:
            await self._command("Input.insertText", text=text)
        else:
            await self.press("Backspace")

    async def press(self, key: str) -> None:
        """Press and release a key, e.g. "Enter", in the focused element."""
        codes = {"Enter": (13, "\r"), "Backspace": (8, ""), "Tab": (9, ""), "Escape": (27, "")}
        code, text = codes.get(key, (0, key if len(key) == 1 else ""))
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self._command("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self._command("Input.dispatchKeyEvent", type="keyUp", **common)

    def on_event(self, method: str, params: Mapping[str, Any]) -> None:
        """Keep what the page complains about."""
        if method == "Runtime.exceptionThrown":
            self.errors.append(_thrown(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.errors.append(" ".join(str(a.get("value", a.get("description", ""))) for a in params["args"])[:2000])
        del self.errors[:-EVENTS_KEPT]

    async def _point(self, selector: str) -> tuple[float, float]:
        """The middle of the first such element once a person could click it there."""

        async def ready() -> Any:
            at = await self._elements(
                selector,
                """(() => { const e = found[0]; if (!e || e.disabled) return null;
                  e.scrollIntoView({block: "center", inline: "center"}); const r = e.getBoundingClientRect();
                  return r.width && r.height ? [r.x + r.width / 2, r.y + r.height / 2] : null; })()""",
            )
            if at is None:
                raise AssertionError(f"the page shows {(await self.text())[:500]!r}{self._complaints()}")
            return at

        x, y = await wait_until(ready, seconds=ELEMENT_SECONDS, what=f"{selector!r} visible and enabled")
        return float(x), float(y)

    async def _elements(self, selector: str, result: str) -> Any:
        return await self.evaluate(f"(() => {{ const found = ({FIND})({json.dumps(selector)}); return {result}; }})()")

    async def _command(self, method: str, **params: Any) -> dict[str, Any]:
        try:
            return await self._devtools.command(method, self._session, **params)
        except DevToolsError as error:
            if not self._devtools.alive:  # shared by trials: which of them ended it cannot be told
                raise ToolFailed(f"the browser ended while a page was open: {error}") from error
            # A page that hangs, crashes or navigates away does so by its own code: a failed test, not our error.
            raise AssertionError(f"the page does not answer: {error}{self._complaints()}") from error

    def _complaints(self) -> str:
        said = "; ".join(line.splitlines()[0] for line in self.errors[-3:] if line)
        return f" (errors: {said})" if said else ""


@asynccontextmanager
async def open_app(browser: Browser, script: str, ports: Collection[int]) -> AsyncIterator[Page]:
    """Open a bundled app, one script, in a fresh profile that reaches these loopback ports and the app's own."""

    async def serve(request: Recorded) -> tuple[int, str, Mapping[str, str]]:
        if request.path == "/app.js":
            return 200, script, {"Content-Type": "text/javascript; charset=utf-8"}
        wants_page = request.path == "/favicon.ico" or "." not in request.path.rsplit("/", 1)[-1]
        return (200, HTML, {"Content-Type": "text/html; charset=utf-8"}) if wants_page else (404, "", {})

    async with (
        loopback(serve) as host,
        gate([host.port, *ports]) as fence,
        browser.profile(f"http://127.0.0.1:{fence.port}") as (devtools, session),
    ):
        page = Page(devtools, session)
        page.refused = fence.refused
        devtools.listen(session, page.on_event)
        try:
            await page.open(f"{host.url}/")
            await wait_until(
                lambda: page.evaluate("document.readyState === 'complete' && location.port !== ''"),
                seconds=20.0,
                what="the app loaded",
            )
            yield page
        finally:
            devtools.forget(session)


def _thrown(details: Mapping[str, Any]) -> str:
    exception = details.get("exception") or {}
    return str(exception.get("description") or exception.get("value") or details.get("text"))[:2000]
