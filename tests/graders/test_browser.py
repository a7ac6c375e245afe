"""The browser: a fresh profile a page, real input events, and a network that ends at the trial's own ports."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from convex_evals.errors import BrowserMissing, ToolFailed
from convex_evals.graders.browser import Browser, find_browser
from convex_evals.graders.loopback import loopback
from convex_evals.graders.page import open_app

EXECUTABLE = find_browser(Path.home())
pytestmark = [pytest.mark.browser, pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium, Chrome or Edge")]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    browser = Browser(EXECUTABLE)
    try:
        yield browser
    finally:
        await browser.close()


FORM = """
document.getElementById("root").innerHTML = `
  <form><label>Name <input name="name" value="old"></label><input placeholder="Note"><button>Send</button></form>
  <ul></ul><button disabled id="never">Never</button>`;
const events = [];
const input = document.querySelector("input");
input.addEventListener("input", (event) => events.push(event.isTrusted));
document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  setTimeout(() => {
    document.querySelector("ul").innerHTML += `<li>${input.value}</li>`;
  }, 100);
});
"""


async def test_a_page_is_filled_and_clicked_with_real_events(browser: Browser) -> None:
    async with open_app(browser, FORM, []) as page:
        await page.fill("label=Name", "Ada")
        assert await page.value("input[name=name]") == "Ada"
        await page.click("text=Send")
        await page.wait_for_text("Ada")
        await page.fill("placeholder=Note", "x")
        await page.press("Enter")
        await page.wait_for("li", count=2)
        assert await page.texts("li") == ["Ada", "Ada"]
        assert await page.evaluate("events.every(Boolean)") is True
        assert page.errors == []


async def test_what_does_not_come_is_an_assertion_that_shows_the_page(browser: Browser) -> None:
    async with open_app(browser, "document.body.append('hello'); throw new Error('broken app')", []) as page:
        with pytest.raises(AssertionError, match=r"(?s)text 'bye'.*hello.*broken app"):
            await page.wait_for_text("bye", seconds=0.3)
        with pytest.raises(AssertionError, match="nothing here"):
            await page.evaluate("(() => { throw new Error('nothing here') })()")


FETCH = """
window.outcome = (url) => fetch(url, {mode: "no-cors"}).then((answer) => answer.type, () => "failed");
window.socket = (url) => new Promise((done) => {
  const ws = new WebSocket(url); ws.onopen = () => done("open"); ws.onerror = () => done("failed");
});
"""


async def test_a_page_reaches_its_own_ports_and_nothing_else(browser: Browser) -> None:
    async with loopback({"/": (200, "mine")}) as mine, loopback({"/": (200, "other")}) as other:
        async with open_app(browser, FETCH, [mine.port]) as page:
            assert (
                await page.evaluate(f"fetch('{mine.url}/').then(() => 1, (e) => String(e))")
                == "TypeError: Failed to fetch"
            )
            assert [request.path for request in mine.requests] == ["/"]  # no CORS header: sent, but not shown
            refused = [
                other.url,
                other.url.replace("127.0.0.1", "localhost"),
                "http://192.0.2.1",
                "https://example.com",
            ]
            for url in refused:
                await page.evaluate(f"outcome('{url}/')")
            assert await page.evaluate(f"socket('ws://127.0.0.1:{other.port}/')") == "failed"
            assert other.requests == []
            assert set(page.refused) >= {
                f"127.0.0.1:{other.port}",
                f"localhost:{other.port}",
                "192.0.2.1:80",
                "example.com:443",
            }
        assert other.requests == []


async def test_profiles_share_nothing(browser: Browser) -> None:
    seen = []
    for _ in range(2):
        async with open_app(browser, "window.before = localStorage.length + document.cookie.length", []) as page:
            seen.append(await page.evaluate("before"))
            await page.evaluate("localStorage.setItem('a', 'b'), (document.cookie = 'c=d'), null")
    assert seen == [0, 0]


async def test_a_page_that_hangs_costs_its_own_test_only(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convex_evals.graders.browser_cdp.COMMAND_SECONDS", 1.5)
    async with open_app(browser, "window.spin = () => { setTimeout(() => { for (;;); }, 0); }", []) as page:
        await page.evaluate("spin()")
        with pytest.raises(AssertionError, match="does not answer"):
            await page.text()
    async with open_app(browser, "document.body.append('next')", []) as page:
        await page.wait_for_text("next")


async def test_a_browser_that_died_is_started_again(browser: Browser) -> None:
    await browser.version()
    process = browser._process
    assert process is not None
    os.killpg(process.pid, 9)
    await process.wait()
    async with open_app(browser, "document.body.append('alive')", []) as page:
        await page.wait_for_text("alive")


async def test_a_browser_that_dies_under_a_page_is_nobody_s_failed_test(browser: Browser) -> None:
    async with open_app(browser, "document.body.append('alive')", []) as page:
        process = browser._process
        assert process is not None
        os.killpg(process.pid, 9)
        await process.wait()
        with pytest.raises(ToolFailed, match="ended"):
            await page.wait_for_text("alive")


async def test_without_a_browser_the_instruction_is_given() -> None:
    with pytest.raises(BrowserMissing, match="setup"):
        await Browser(None).version()


async def test_an_executable_that_is_no_browser_is_said(tmp_path: Path) -> None:
    with pytest.raises(BrowserMissing, match="true ended with 0"):
        await Browser(Path("/bin/true")).version()
