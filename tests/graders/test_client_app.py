"""A React app of a submission, built, served and rendered in a real browser, live against its deployment."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from convex_evals.errors import BrowserMissing
from convex_evals.graders.browser import Browser, find_browser
from tests.graders.conftest import Graded

EXECUTABLE = find_browser(Path.home())

BACKEND = """import { v } from "convex/values";
import { mutation, query } from "./_generated/server";
export const list = query({ args: {}, handler: async (ctx) =>
  (await ctx.db.query("notes").collect()).map((n) => n.text) });
export const add = mutation({ args: { text: v.string() }, handler: async (ctx, { text }) => {
  await ctx.db.insert("notes", { text }); } });"""
MAIN = """import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { ConvexProvider, ConvexReactClient, useMutation, useQuery } from "convex/react";
import { api } from "../convex/_generated/api";
const client = new ConvexReactClient(import.meta.env.VITE_CONVEX_URL as string);
function App() {
  const notes = useQuery(api.notes.list, {});
  const add = useMutation(api.notes.add);
  const [text, setText] = useState("");
  if (notes === undefined) return <p>Loading</p>;
  return (
    <form onSubmit={(event) => { event.preventDefault(); void add({ text }); setText(""); }}>
      <input aria-label="Text" value={text} onChange={(event) => setText(event.target.value)} />
      <button disabled={text === ""}>Add</button>
      <ul>{notes.map((note, place) => <li key={place}>{note}</li>)}</ul>
    </form>
  );
}
createRoot(document.getElementById("root")!).render(
  <StrictMode><ConvexProvider client={client}><App /></ConvexProvider></StrictMode>,
);
"""
FILES = {
    "convex/notes.ts": BACKEND,
    "src/main.tsx": MAIN,
    "package.json": '{"dependencies": {"convex": "1.48.0", "react": "19.2.0", "react-dom": "19.2.0"}}',
}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    browser = Browser(EXECUTABLE)
    try:
        yield browser
    finally:
        await browser.close()


@pytest.mark.browser
@pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium, Chrome or Edge")
async def test_an_app_reacts_to_mutations_from_both_sides(graded: Graded, browser: Browser) -> None:
    g = await graded(FILES, browser=browser)
    async with g.browser() as page:
        await page.wait_for("label=Text")
        await g.response.public.mutation("notes:add", {"text": "from outside"})
        await page.wait_for_text("from outside")
        await page.fill("label=Text", "from the page")
        await page.click("text=Add")
        await page.wait_for("li", count=2)
        assert await page.texts("li") == ["from outside", "from the page"]
        assert await page.value("label=Text") == ""
        assert [note["text"] for note in await g.response.read("notes")] == ["from outside", "from the page"]
        key = (await g.response.locate()).admin_key
        assert key not in await page.evaluate("document.documentElement.outerHTML")
        assert page.errors == []
        # The browser itself asks its maker for things, in vain; the page asked for nothing that it may not have.
        assert [address for address in page.refused if address.startswith(("127.", "localhost"))] == []


@pytest.mark.browser
@pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium, Chrome or Edge")
async def test_an_app_that_cannot_be_built_is_a_failed_test(graded: Graded, browser: Browser) -> None:
    g = await graded({**FILES, "src/main.tsx": 'import { no } from "./nowhere";\nno();'}, browser=browser)
    with pytest.raises(AssertionError, match=r"(?s)cannot be built.*nowhere"):
        async with g.browser():
            pass
    with pytest.raises(AssertionError, match=r"has no src/other\.tsx; it has"):
        async with g.browser("src/other.tsx"):
            pass


async def test_without_a_browser_a_client_eval_is_an_error(graded: Graded) -> None:
    g = await graded(FILES)
    with pytest.raises(BrowserMissing):
        async with g.browser():
            pass
