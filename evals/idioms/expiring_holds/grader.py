"""Holds that expire: by themselves, at their time, and not once they are confirmed or extended.

Nothing here waits for a time to pass: a second hold, due after the one in question, says when that time is over.
"""

import asyncio
from typing import Any

from convex_evals.graders.api import Grading, assert_equal, rejects, wait_until

MINUTE = 60_000
NEVER_EXPIRED: list[str] = []


async def place(g: Grading, milliseconds: float, item: str = "seat") -> str:
    args = {"item": item, "holder": "ada", "milliseconds": milliseconds}
    identifier = await g.response.public.mutation("holds:place", args)
    assert isinstance(identifier, str), f"place returned {identifier!r}, not an id"
    return identifier


async def change(g: Grading, name: str, identifier: str, **args: float) -> Any:
    return await g.response.public.mutation(f"holds:{name}", {"holdId": identifier, **args})


async def statuses(g: Grading) -> dict[str, Any]:
    """Id → stored status."""
    return {document["_id"]: document["status"] for document in await g.response.read("holds")}


async def wait_expired(g: Grading, identifier: str) -> None:
    """Wait until a hold that is due is stored as expired; where one never was, the others are hardly waited for."""

    async def expired() -> bool:
        return (await statuses(g)).get(identifier) == "expired"

    seconds = 0.3 if NEVER_EXPIRED else 3
    try:
        await wait_until(expired, seconds=seconds, what="the stored status becomes expired")
    except AssertionError:
        NEVER_EXPIRED.append(identifier)
        raise


async def test_a_hold_is_stored_as_active(g: Grading) -> None:
    """place stores item, holder and the status active, and returns the id."""
    identifier = await place(g, MINUTE, "row 5")
    stored = [
        {name: document.get(name) for name in ("_id", "item", "holder", "status")}
        for document in await g.response.read("holds")
    ]
    expected = [{"_id": identifier, "item": "row 5", "holder": "ada", "status": "active"}]
    assert_equal(stored, expected, "the stored holds")


async def test_a_hold_expires_by_itself(g: Grading) -> None:
    """The stored status becomes expired without anyone calling a function."""
    identifier = await place(g, 10)
    await wait_expired(g, identifier)


async def test_a_hold_expires_not_before_its_time(g: Grading) -> None:
    """A hold for some milliseconds is not expired before they have passed, one for a minute is still active then."""
    clock = asyncio.get_running_loop().time
    long, started = await place(g, MINUTE), clock()
    short = await place(g, 100)
    await wait_expired(g, short)
    seconds = clock() - started
    assert seconds > 0.09, f"a hold for 100 ms was expired after {seconds * 1000:.0f} ms"
    assert_equal((await statuses(g))[long], "active", "status of the hold for a minute")


async def settled_in_time(g: Grading, name: str, **args: float) -> tuple[str, float]:
    """A hold that was confirmed or extended while it was active, and the time for which it had been placed.

    On a busy machine a short hold can expire before the second call: then a longer one is tried.
    """
    values = []
    for milliseconds in (40, 200, 1000):
        identifier = await place(g, milliseconds)
        value = await change(g, name, identifier, **args)
        if value is True:
            return identifier, milliseconds
        values.append(value)
    raise AssertionError(f"{name} of active holds returned {values!r}, expected true")


async def test_a_confirmed_hold_stays_confirmed(g: Grading) -> None:
    """confirm returns true for an active hold, which then does not expire any more."""
    confirmed, milliseconds = await settled_in_time(g, "confirm")
    assert_equal((await statuses(g))[confirmed], "confirmed", "status of the confirmed hold")
    later = await place(g, milliseconds + 40)
    await wait_expired(g, later)
    assert_equal((await statuses(g))[confirmed], "confirmed", "status of the confirmed hold after its time")


async def test_extended_holds_expire_at_the_new_time(g: Grading) -> None:
    """extend replaces the time at which an active hold expires, by a later or an earlier one."""
    longer, milliseconds = await settled_in_time(g, "extend", milliseconds=MINUTE)
    shorter = await place(g, MINUTE)
    value = await change(g, "extend", shorter, milliseconds=milliseconds + 40)
    assert value is True, f"extending an active hold returned {value!r}"
    await wait_expired(g, shorter)
    assert_equal((await statuses(g))[longer], "active", "status of the hold that was extended to a minute")


async def test_only_active_holds_change(g: Grading) -> None:
    """extend and confirm return false for holds that are confirmed, expired or gone, and change nothing."""
    expired, confirmed = await place(g, 0), await place(g, MINUTE)
    await change(g, "confirm", confirmed)
    await wait_expired(g, expired)
    for identifier, status in ((expired, "expired"), (confirmed, "confirmed")):
        values = [await change(g, "confirm", identifier), await change(g, "extend", identifier, milliseconds=MINUTE)]
        assert_equal(values, [False, False], f"results of confirm and extend for a hold that is {status}")
        assert_equal((await statuses(g))[identifier], status, "status afterwards")
    await g.response.clear("holds")
    values = [await change(g, "confirm", confirmed), await change(g, "extend", confirmed, milliseconds=MINUTE)]
    assert_equal(values, [False, False], "results of confirm and extend for a hold that does not exist")


async def test_status_is_one_of_three(g: Grading) -> None:
    """The table takes the status of a hold, and no other text."""
    await place(g, MINUTE)
    (hold,) = await g.response.read("holds")
    fields = {name: value for name, value in hold.items() if not name.startswith("_")}
    for status in ("active", "confirmed", "expired"):
        await g.response.insert("holds", {**fields, "status": status})
    for wrong in ({"status": "cancelled"}, {"item": 5}, {"holder": None}):
        await rejects(g.response.insert("holds", {**fields, **wrong}))


async def test_clients_can_call_these_three_only(g: Grading) -> None:
    """Of all functions of the backend, clients can call place, extend and confirm."""
    public = sorted(
        entry.get("identifier", "an HTTP route")
        for entry in await g.response.function_spec()
        if entry["functionType"] == "HttpAction" or entry["visibility"]["kind"] == "public"
    )
    assert_equal(public, ["holds.js:confirm", "holds.js:extend", "holds.js:place"], "public functions")
