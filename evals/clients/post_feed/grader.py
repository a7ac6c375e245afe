"""A long list in a real browser: first page, further pages, end, changes, and what a call reads."""

from collections.abc import Awaitable, Callable
from typing import Any

from convex_evals.graders.api import Grading, Page, assert_equal, wait_until

LIST = "posts:list"

PATIENCE_SECONDS = [5.0]


async def patiently(predicate: Callable[[], Awaitable[object]], what: str) -> None:
    """Wait for the page; once an app has kept us waiting in vain, it is waited for less."""
    try:
        await wait_until(predicate, seconds=PATIENCE_SECONDS[-1], what=what)
    except AssertionError:
        PATIENCE_SECONDS.append(1.0)
        raise


async def post(g: Grading, *numbers: int) -> list[str]:
    """New posts, and their ids."""
    return await g.response.insert("posts", *({"text": f"post {number}"} for number in numbers))


async def wait_shown(page: Page, numbers: list[int], ending: str) -> None:
    """Wait until the page shows exactly these posts, and of button and closing text only this one."""
    expected = [f"post {number}" for number in numbers]

    async def shown() -> bool:
        texts, text = await page.texts("li"), await page.text()
        assert texts == expected, f"the page shows {texts}, errors {page.errors[-2:]}"
        endings = [choice for choice in ("Load more", "That is all") if choice in text]
        assert endings == [ending], f"the page ends with {endings}"
        return True

    await patiently(shown, f"the page shows {expected} and {ending!r}")


async def test_list_is_a_paginated_query(g: Grading) -> None:
    """list gives documents page by page, newest first."""
    await post(g, *range(1, 8))
    documents = (await g.response.read("posts"))[::-1]
    pages: list[Any] = []
    cursor = None
    for _ in range(3):
        result = await g.response.public.query(LIST, {"paginationOpts": {"numItems": 3, "cursor": cursor}})
        assert isinstance(result, dict), f"list returned {result!r}, not a page"
        pages.append(result.get("page"))
        cursor = result.get("continueCursor")
    assert_equal(pages, [documents[:3], documents[3:6], documents[6:]], "the pages")


async def test_the_newest_five_are_shown(g: Grading) -> None:
    """At first the page shows the 5 newest posts and the button."""
    await post(g, *range(1, 13))
    async with g.browser() as page:
        await wait_shown(page, [12, 11, 10, 9, 8], "Load more")


async def test_load_more_until_all_are_shown(g: Grading) -> None:
    """Each click shows 5 more below; at the end a text takes the place of the button."""
    await post(g, *range(1, 13))
    async with g.browser() as page:
        await wait_shown(page, list(range(12, 7, -1)), "Load more")
        await page.click("text=Load more")
        await wait_shown(page, list(range(12, 2, -1)), "Load more")
        await page.click("text=Load more")
        await wait_shown(page, list(range(12, 0, -1)), "That is all")


async def test_a_short_list_is_complete_at_once(g: Grading) -> None:
    """With no more than can be shown at first there is no button; a new post appears by itself."""
    await post(g, 1, 2)
    async with g.browser() as page:
        await wait_shown(page, [2, 1], "That is all")
        await post(g, 3)
        await wait_shown(page, [3, 2, 1], "That is all")


async def test_all_pages_stay_live(g: Grading) -> None:
    """With two pages shown, new posts appear at the top, and none of those shown is repeated or lost."""
    await post(g, *range(1, 13))
    async with g.browser() as page:
        await wait_shown(page, list(range(12, 7, -1)), "Load more")
        await page.click("text=Load more")
        await wait_shown(page, list(range(12, 2, -1)), "Load more")
        await post(g, 13)
        await wait_shown(page, list(range(13, 2, -1)), "Load more")
        await page.click("text=Load more")
        await wait_shown(page, list(range(13, 0, -1)), "That is all")
        await g.response.clear("posts")
        await post(g, 99)
        await wait_shown(page, [99], "That is all")


async def test_no_call_reads_more_than_a_step(g: Grading) -> None:
    """After several clicks every call of the query has read the posts of one step, and at most one beyond."""
    await post(g, *range(1, 31))
    async with g.response.evidence() as seen, g.browser() as page:
        for count in (5, 10, 15):
            await wait_shown(page, list(range(30, 30 - count, -1)), "Load more")
            await page.click("text=Load more")
        await wait_shown(page, list(range(30, 10, -1)), "Load more")
    read = [call.documents_read for call in seen.of(LIST)]
    assert max(read) <= 6, f"calls of list read {read} documents for steps of 5"
