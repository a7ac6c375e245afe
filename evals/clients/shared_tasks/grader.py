"""A task list in a real browser: what it shows, what its controls do, and that it follows what others change."""

from collections.abc import Awaitable, Callable
from typing import Any

from convex_evals.graders.api import Grading, Page, assert_equal, wait_until

BOXES = "[...document.querySelectorAll('li')].map((li) => li.querySelector('input[type=checkbox]')?.checked)"

PATIENCE_SECONDS = [5.0]


async def patiently(predicate: Callable[[], Awaitable[object]], what: str) -> None:
    """Wait for the page; once an app has kept us waiting in vain, it is waited for less."""
    try:
        await wait_until(predicate, seconds=PATIENCE_SECONDS[-1], what=what)
    except AssertionError:
        PATIENCE_SECONDS.append(1.0)
        raise


async def add(g: Grading, title: str) -> str:
    identifier = await g.response.public.mutation("tasks:add", {"title": title})
    assert isinstance(identifier, str), f"add returned {identifier!r}, not an id"
    return identifier


async def stored(g: Grading) -> list[tuple[Any, Any]]:
    """Title and state of each task."""
    return [(document["title"], document["done"]) for document in await g.response.read("tasks")]


async def wait_shown(page: Page, expected: list[tuple[str, bool]]) -> None:
    """Wait until the page shows these tasks with these boxes."""

    async def shown() -> bool:
        pairs = list(zip(await page.texts("li"), await page.evaluate(BOXES), strict=False))
        assert pairs == expected, f"the page shows {pairs}, errors {page.errors[-2:]}"
        return True

    await patiently(shown, f"the page shows {expected}")


async def wait_empty(page: Page) -> None:
    """Wait until the page says that there are no tasks."""

    async def shown() -> bool:
        text = await page.text()
        assert "No tasks yet" in text, f"the page shows {text!r}, errors {page.errors[-2:]}"
        return True

    await patiently(shown, "the page shows 'No tasks yet'")


async def test_functions_do_what_they_say(g: Grading) -> None:
    """list returns the documents, oldest first; add and toggle change them."""
    first, second = await add(g, "one"), await add(g, "two")
    for expected in (True, False, True):
        value = await g.response.public.mutation("tasks:toggle", {"taskId": second})
        assert value is None, f"toggle returned {value!r}, not null"
        listed = await g.response.public.query("tasks:list", {})
        assert_equal(listed, await g.response.read("tasks"), "list")
        states = [(document["_id"], document["title"], document["done"]) for document in listed]
        assert_equal(states, [(first, "one", False), (second, "two", expected)], "tasks after toggling the second")


async def test_the_page_shows_the_tasks(g: Grading) -> None:
    """Each task is an li with its title and a box that says whether it is done."""
    await g.response.insert("tasks", {"title": "wash", "done": False}, {"title": "dry", "done": True})
    async with g.browser() as page:
        await wait_shown(page, [("wash", False), ("dry", True)])
        text = await page.text()
        assert "No tasks yet" not in text, f"there are tasks, the page shows {text!r}"


async def test_the_page_says_that_there_are_none(g: Grading) -> None:
    """Without tasks there is a text that says so, and no li."""
    async with g.browser() as page:
        await wait_empty(page)
        assert await page.count("li") == 0, f"there are no tasks, the page shows {await page.text()!r}"


async def test_changes_by_others_appear(g: Grading) -> None:
    """What others add, toggle and delete appears on the open page."""
    async with g.browser() as page:
        await wait_empty(page)
        identifier = await add(g, "from elsewhere")
        await wait_shown(page, [("from elsewhere", False)])
        await g.response.public.mutation("tasks:toggle", {"taskId": identifier})
        await wait_shown(page, [("from elsewhere", True)])
        await g.response.clear("tasks")
        await wait_empty(page)


async def test_the_form_adds_a_task(g: Grading) -> None:
    """Add stores a task with the text of the field, shows it, and empties the field."""
    await add(g, "old")
    expected = [("old", False)]
    async with g.browser() as page:
        await wait_shown(page, expected)
        for title in ("buy milk", "call Zoë"):
            await page.fill("placeholder=New task", title)
            await page.click("text=Add")
            expected.append((title, False))
            await wait_shown(page, expected)

            async def emptied() -> bool:
                return await page.value("placeholder=New task") == ""

            await patiently(emptied, "the field is empty after adding")
    assert_equal(await stored(g), expected, "the stored tasks")


async def test_the_box_toggles_its_task(g: Grading) -> None:
    """A click on a box toggles that task in the backend and on the page, to and fro."""
    for title in ("one", "two"):
        await add(g, title)
    async with g.browser() as page:
        await wait_shown(page, [("one", False), ("two", False)])
        for done in (True, False):
            await page.evaluate("document.querySelectorAll('li')[1].querySelector('input[type=checkbox]').click()")
            await wait_shown(page, [("one", False), ("two", done)])

            async def settled(expected: bool = done) -> bool:
                return await stored(g) == [("one", False), ("two", expected)]

            await patiently(settled, f"the stored task has done = {done}")
