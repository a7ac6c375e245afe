"""History of a channel, page by page: order, shape, page boundaries, changes in between, and what a page costs."""

from typing import Any

from convex_evals.graders.api import Grading, assert_equal, rejects

HISTORY = "messages:history"
# Times in an order that is neither that of storing nor its reverse.
TIMES = (40, 10, 70, 20, 60, 30, 50)


def message(sent_at: float, channel: str = "general", deleted: bool = False) -> dict[str, object]:
    return {"channel": channel, "author": f"a{sent_at}", "body": f"b{sent_at}", "sentAt": sent_at, "deleted": deleted}


async def page(
    g: Grading, count: int, cursor: str | None = None, channel: str = "general", **more: Any
) -> dict[str, Any]:
    """One page, known to have the fields that the hook reads."""
    options = {"numItems": count, "cursor": cursor, **more}
    result = await g.response.public.query(HISTORY, {"channel": channel, "paginationOpts": options})
    assert isinstance(result, dict), f"the result is no page: {result!r}"
    types = {name: type(result.get(name)) for name in ("page", "isDone", "continueCursor")}
    expected = {"page": list, "isDone": bool, "continueCursor": str}
    assert types == expected, f"the result is no page: {result!r}"
    return dict(result)


def times(result: dict[str, Any]) -> list[Any]:
    return [item.get("sentAt") if isinstance(item, dict) else item for item in result["page"]]


async def test_arguments_and_result_fit_the_hook(g: Grading) -> None:
    """The first call passes a null cursor, later ones the continueCursor and the options that the hook adds."""
    await g.response.insert("messages", *map(message, TIMES))
    first = await page(g, 3, None, id=1)
    assert (times(first), first["isDone"]) == ([70, 60, 50], False), f"first page: {first!r}"
    second = await page(g, 3, first["continueCursor"], endCursor=None, id=1)
    assert (times(second), second["isDone"]) == ([40, 30, 20], False), f"second page: {second!r}"
    bounded = await page(g, 1, None, endCursor=first["continueCursor"], id=1)
    assert times(bounded) == [70, 60, 50], f"a page that ends at the cursor of the first: {bounded!r}"
    for args in ({"channel": "general"}, {"paginationOpts": {"numItems": 3, "cursor": None}}):
        await rejects(g.response.public.query(HISTORY, args), match="ArgumentValidationError")


async def test_latest_messages_come_first(g: Grading) -> None:
    """Items are ordered by sentAt, latest first, whatever the order in which they were stored."""
    await g.response.insert("messages", *map(message, TIMES))
    result = await page(g, 20)
    assert_equal(times(result), sorted(TIMES, reverse=True), "times of all messages")
    assert result["isDone"] is True, f"all messages are in the page, isDone is {result['isDone']!r}"


async def test_items_have_four_fields(g: Grading) -> None:
    """An item is { id, author, body, sentAt }, with the id of the document."""
    (identifier,) = await g.response.insert("messages", message(5))
    result = await page(g, 20)
    assert_equal(result["page"], [{"id": identifier, "author": "a5", "body": "b5", "sentAt": 5}], "the page")


async def test_only_the_channel_and_nothing_deleted(g: Grading) -> None:
    """Messages of other channels and deleted ones are left out."""
    await g.response.insert(
        "messages", message(1), message(2, "random"), message(3, deleted=True), message(4), message(5, "general2")
    )
    for channel, expected in (("general", [4, 1]), ("random", [2]), ("empty", [])):
        assert_equal(times(await page(g, 20, channel=channel)), expected, f"messages of {channel}")


async def test_pages_are_full(g: Grading) -> None:
    """Every page has as many items as asked for while there are that many left; deleted ones leave no gap."""
    await g.response.insert("messages", *(message(n, deleted=n % 3 == 0) for n in range(20)))
    left = [n for n in reversed(range(20)) if n % 3 != 0]
    cursor, found = None, []
    for start in range(0, len(left), 5):
        result = await page(g, 5, cursor)
        assert_equal(times(result), left[start : start + 5], f"page from item {start}")
        found += times(result)
        cursor = result["continueCursor"]
    assert found == left, f"all pages together hold {found}"
    rest = await page(g, 5, cursor)
    assert (times(rest), rest["isDone"]) == ([], True), f"after the last item: {rest!r}"


async def test_messages_of_one_moment_are_all_there(g: Grading) -> None:
    """A page that ends between messages with the same sentAt loses and repeats none of them."""
    ids = await g.response.insert("messages", *(message(sent_at) for sent_at in (1, 5, 5, 5, 5, 9)))
    cursor, found = None, []
    for _ in range(3):
        result = await page(g, 2, cursor)
        found += [item["id"] for item in result["page"]]
        cursor = result["continueCursor"]
    assert_equal(sorted(found), sorted(ids), "ids on the three pages")


async def test_pages_stay_in_step_with_changes(g: Grading) -> None:
    """A message that arrives in front of the cursor neither repeats nor hides items of the next page."""
    await g.response.insert("messages", *map(message, TIMES))
    first = await page(g, 3)
    await g.response.insert("messages", message(99), message(65))
    second = await page(g, 3, first["continueCursor"])
    assert_equal(times(second), [40, 30, 20], "the page after the cursor")


async def test_a_page_reads_only_its_messages(g: Grading) -> None:
    """What a page reads does not depend on how many messages this and other channels have."""
    crowd = [message(n, channel) for n in range(40) for channel in ("general", "random")]
    hidden = [message(100 + n, deleted=True) for n in range(20)]
    await g.response.insert("messages", *crowd, *hidden)
    async with g.response.evidence() as seen:
        first = await page(g, 4)
        second = await page(g, 4, first["continueCursor"])
    assert (times(first), times(second)) == ([39, 38, 37, 36], [35, 34, 33, 32]), f"pages {first!r}, {second!r}"
    read = [call.documents_read for call in seen.of(HISTORY)]
    assert max(read) <= 5, f"pages of 4 items read {read} documents"


async def test_the_schema_is_as_described(g: Grading) -> None:
    """A message without one of the five fields, or with one of another type, is refused."""
    fields = message(5)
    await g.response.insert("messages", fields)
    for name in fields:
        await rejects(g.response.insert("messages", {key: value for key, value in fields.items() if key != name}))
        await rejects(g.response.insert("messages", {**fields, name: None}))
