"""One component, installed twice: separate totals, separate resets, and where the data is.

The tables of a component are not cleared between tests, so each test has users of its own.
"""

from typing import Any

from convex_evals.graders.api import Grading, assert_equal, rejects


async def record(g: Grading, kind: str, user: str, amount: float) -> Any:
    return await g.response.public.mutation("usage:record", {"kind": kind, "user": user, "amount": amount})


async def totals(g: Grading, user: str) -> Any:
    return await g.response.public.query("usage:totals", {"user": user})


async def test_kinds_are_added_up_apart(g: Grading) -> None:
    """record returns the new total of this user and this kind; totals shows both."""
    calls = (("requests", "ada", 1), ("uploads", "ada", 10), ("requests", "bob", 5), ("requests", "ada", 2.5))
    values = [await record(g, *call) for call in calls]
    assert_equal(values, [1, 10, 5, 3.5], "totals that record returned")
    assert_equal(await totals(g, "ada"), {"requests": 3.5, "uploads": 10}, "totals of ada")
    assert_equal(await totals(g, "bob"), {"requests": 5, "uploads": 0}, "totals of bob")


async def test_totals_start_at_zero(g: Grading) -> None:
    """Where nothing was recorded, both totals are 0."""
    assert_equal(await totals(g, "nobody"), {"requests": 0, "uploads": 0}, "totals of someone unknown")


async def test_reset_clears_one_kind(g: Grading) -> None:
    """reset makes the totals of this kind 0 for all users and leaves the other kind."""
    for user in ("cy", "dee"):
        for kind in ("requests", "uploads"):
            await record(g, kind, user, 7)
    value = await g.response.public.mutation("usage:reset", {"kind": "uploads"})
    assert value is None, f"reset returned {value!r}, not null"
    for user in ("cy", "dee"):
        assert_equal(await totals(g, user), {"requests": 7, "uploads": 0}, f"totals of {user}")
    await g.response.public.mutation("usage:reset", {"kind": "requests"})
    assert_equal(await totals(g, "cy"), {"requests": 0, "uploads": 0}, "totals of cy after the second reset")
    assert_equal(await record(g, "uploads", "cy", 2), 2, "total after a reset")


async def test_any_string_is_a_user(g: Grading) -> None:
    """Users are strings of any kind."""
    for user in ("größe@example.com", "_hal", "$ida", ""):
        assert_equal(await record(g, "requests", user, 3), 3, f"total of the user {user!r}")
        assert_equal(await totals(g, user), {"requests": 3, "uploads": 0}, f"totals of the user {user!r}")


async def test_reset_clears_many(g: Grading) -> None:
    """reset makes the totals of all users 0, also when they are many."""
    users = [f"user {n:03}" for n in range(104)]
    for user in users:
        await record(g, "requests", user, 1)
    await g.response.public.mutation("usage:reset", {"kind": "requests"})
    # A reset that stops after a page leaves the first or the last ones, whatever index it goes by.
    left = [user for user in (*users[:2], *users[-2:]) if await totals(g, user) != {"requests": 0, "uploads": 0}]
    assert not left, f"after the reset of {len(users)} users, {left} have totals that are not 0"


async def test_kind_is_one_of_two(g: Grading) -> None:
    """No other kind is taken."""
    for args in ({"kind": "downloads", "user": "eve", "amount": 1}, {"user": "eve", "amount": 1}):
        await rejects(g.response.public.mutation("usage:record", args), match="ArgumentValidationError")
    await rejects(g.response.public.mutation("usage:reset", {"kind": "all"}), match="ArgumentValidationError")


async def test_each_kind_has_its_own_installation(g: Grading) -> None:
    """What is recorded is written in the installation of its kind; the app has no tables."""
    for kind in ("requests", "uploads"):
        async with g.response.evidence() as seen:
            await record(g, kind, "flo", 1)
        writers = {call.component for call in seen.calls if call.documents_written and call.component}
        assert writers == {kind}, f"recording {kind} wrote in {sorted(writers)}, calls were {seen.calls}"
    schema = await g.response.schema()
    tables = [table["tableName"] for table in schema["tables"]] if schema else []
    assert_equal(tables, [], "tables of the app")


async def test_there_is_one_component(g: Grading) -> None:
    """Both installations are of the component in convex/meter."""
    assert_equal(await totals(g, "gus"), {"requests": 0, "uploads": 0}, "totals of someone unknown")
    found = [
        path for path in g.files if path.startswith("convex/") and path.count("/") > 1 and "convex.config." in path
    ]
    assert_equal(found, ["convex/meter/convex.config.ts"], "definitions of components")
    uses = [source for source in g.sources() if source.path.startswith("convex/convex.config.")]
    modules = [entry.module for source in uses for entry in source.imports() if "convex.config" in entry.module]
    assert len(modules) == 1, f"the app imports the definitions {modules}"
