"""Ranges, order and a maximum over an index: results, boundaries, and that nothing else is read."""

from typing import Any

from convex_evals.graders.api import Grading, assert_equal, rejects

# (takenAt, celsius) in an order that is neither that of time nor of temperature, in either direction.
REPORTED = ((40, 21.5), (10, 19.0), (70, 20.0), (20, 25.5), (60, -3.0), (30, 22.0), (50, 18.0))


def reading(taken_at: float, celsius: float, sensor: str = "attic") -> dict[str, object]:
    return {"sensor": sensor, "takenAt": taken_at, "celsius": celsius}


async def fill(g: Grading) -> list[dict[str, Any]]:
    """The reported readings, surrounded by those of two other sensors; gives the documents of the sensor."""
    documents = [
        reading(taken_at + shift, celsius + shift, sensor)
        for taken_at, celsius in REPORTED
        for sensor, shift in (("attb", 1.0), ("attic", 0.0), ("attid", 2.0))
    ]
    await g.response.insert("readings", *documents)
    return [document for document in await g.response.read("readings") if document["sensor"] == "attic"]


async def ask(g: Grading, name: str, sensor: str = "attic", **args: float) -> Any:
    return await g.response.public.query(f"readings:{name}", {"sensor": sensor, **args})


async def test_window_is_ordered_by_time(g: Grading) -> None:
    """window returns the documents of the sensor in the range, earliest takenAt first."""
    mine = sorted(await fill(g), key=lambda document: document["takenAt"])
    assert_equal(await ask(g, "window", **{"from": 0, "to": 1000}), mine, "window of everything")
    assert_equal(await ask(g, "window", **{"from": 25, "to": 65}), mine[2:6], "window from 25 to 65")
    assert_equal(await ask(g, "window", "cellar", **{"from": 0, "to": 1000}), [], "window of an unknown sensor")


async def test_window_has_its_start_but_not_its_end(g: Grading) -> None:
    """A reading taken exactly at `from` is in the window, one at `to` is not."""
    await fill(g)
    for start, end, expected in ((20, 50, [20, 30, 40]), (20, 21, [20]), (19, 20, [])):
        found = [document["takenAt"] for document in await ask(g, "window", **{"from": start, "to": end})]
        assert_equal(found, expected, f"times in the window from {start} to {end}")


async def test_windows_have_no_largest_size(g: Grading) -> None:
    """All readings in the range are returned, also when they are many."""
    await g.response.insert("readings", *(reading(n, n % 7) for n in range(300)))
    found = [document["takenAt"] for document in await ask(g, "window", **{"from": 5, "to": 295})]
    assert_equal(found, list(range(5, 295)), "times in a window with 290 readings")


async def test_latest_is_ordered_by_time(g: Grading) -> None:
    """latest returns the count readings with the latest takenAt, latest first, not those stored last."""
    mine = sorted(await fill(g), key=lambda document: document["takenAt"], reverse=True)
    for count in (1, 3, 50):
        assert_equal(await ask(g, "latest", count=count), mine[:count], f"the latest {count}")


async def test_hottest_is_the_maximum_or_null(g: Grading) -> None:
    """hottest returns the reading with the highest celsius, null when it is below atLeast or there is none."""
    by_celsius = {document["celsius"]: document for document in await fill(g)}
    for at_least in (-50, 20, 25.5):
        assert_equal(await ask(g, "hottest", atLeast=at_least), by_celsius[25.5], f"hottest with atLeast {at_least}")
    assert_equal(await ask(g, "hottest", atLeast=25.6), None, "hottest with atLeast 25.6")
    assert_equal(await ask(g, "hottest", "cellar", atLeast=-50), None, "hottest of an unknown sensor")


async def test_only_the_result_is_read(g: Grading) -> None:
    """The queries read exactly the documents that they return."""
    sensors = [reading(n, n % 17, sensor) for n in range(30) for sensor in ("attic", "cellar")]
    await g.response.insert("readings", *sensors)
    async with g.response.evidence() as seen:
        window = await ask(g, "window", **{"from": 10, "to": 14})
        latest = await ask(g, "latest", count=3)
        hottest = await ask(g, "hottest", atLeast=5)
    times = [[document["takenAt"] for document in found] for found in (window, latest, [hottest])]
    assert times[:2] == [[10, 11, 12, 13], [29, 28, 27]], f"window and latest returned {times[:2]}"
    assert hottest["celsius"] == 16, f"hottest returned {hottest!r}"
    read = {name: seen.one(f"readings:{name}").documents_read for name in ("window", "latest", "hottest")}
    assert_equal(read, {"window": 4, "latest": 3, "hottest": 1}, "documents read")
    async with g.response.evidence() as seen:
        assert_equal(await ask(g, "hottest", atLeast=17), None, "hottest with atLeast 17")
    in_vain = seen.one("readings:hottest").documents_read
    assert in_vain == 0, f"hottest read {in_vain} documents to return null"


async def test_the_schema_is_as_described(g: Grading) -> None:
    """A reading without one of the three fields, or with one of another type, is refused."""
    fields = reading(5, 20.0)
    await g.response.insert("readings", fields)
    for name in fields:
        await rejects(g.response.insert("readings", {key: value for key, value in fields.items() if key != name}))
        await rejects(g.response.insert("readings", {**fields, name: None}))
