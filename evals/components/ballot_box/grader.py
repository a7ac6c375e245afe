"""Votes counted by a local component: what clients see, where the data is, and that a failure undoes it.

The tables of the component are not cleared between tests, so each test asks about polls of its own.
"""

from typing import Any

from convex_evals.graders.api import Grading, assert_equal, rejects


async def vote(g: Grading, poll: str, option: str) -> Any:
    return await g.response.public.mutation("polls:vote", {"poll": poll, "option": option})


async def results(g: Grading, poll: str) -> Any:
    return await g.response.public.query("polls:results", {"poll": poll})


async def test_votes_are_counted(g: Grading) -> None:
    """vote returns how many votes the option has now, of this poll alone."""
    ballots = (("lunch", "soup"), ("lunch", "soup"), ("lunch", "rice"), ("dinner", "soup"), ("lunch", "soup"))
    counted = [await vote(g, *ballot) for ballot in ballots]
    assert_equal(counted, [1, 2, 1, 1, 3], "numbers of votes after each vote")


async def test_results_are_sorted_by_option(g: Grading) -> None:
    """results has the options of this poll that have votes, sorted by option."""
    for option in ("green", "blue", "red", "blue"):
        await vote(g, "colour", option)
    await vote(g, "other colour", "black")
    expected = [{"option": "blue", "votes": 2}, {"option": "green", "votes": 1}, {"option": "red", "votes": 1}]
    assert_equal(await results(g, "colour"), expected, "results")
    assert_equal(await results(g, "a poll without votes"), [], "results of a poll without votes")


async def test_vote_all_counts_all_or_none(g: Grading) -> None:
    """voteAll counts each element; when an option gets more than 3 votes it fails and none counts."""
    options = ["a", "b", "b", "b"]
    value = await g.response.public.mutation("polls:voteAll", {"poll": "many", "options": options})
    assert value is None, f"voteAll returned {value!r}, not null"
    expected = [{"option": "a", "votes": 1}, {"option": "b", "votes": 3}]
    assert_equal(await results(g, "many"), expected, "results")
    await rejects(g.response.public.mutation("polls:voteAll", {"poll": "many", "options": ["a", "c", "b"]}))
    assert_equal(await results(g, "many"), expected, "results after a voteAll that failed")


async def test_the_component_keeps_the_votes(g: Grading) -> None:
    """The component ballot writes and reads the votes; the app has no tables."""
    async with g.response.evidence() as seen:
        await vote(g, "place", "here")
        found = await results(g, "place")
    assert_equal(found, [{"option": "here", "votes": 1}], "results")
    inside = [call for call in seen.calls if call.component == "ballot"]
    kinds = {call.kind for call in inside}
    assert kinds == {"query", "mutation"}, f"in the component ran {sorted(kinds)}, of {seen.calls}"
    assert any(call.documents_written for call in inside), f"the component wrote nothing: {inside}"
    schema = await g.response.schema()
    tables = [table["tableName"] for table in schema["tables"]] if schema else []
    assert_equal(tables, [], "tables of the app")


async def test_clients_can_call_three_functions(g: Grading) -> None:
    """These three functions are all that clients can call, those of the component not included."""
    public = sorted(
        entry.get("identifier", "an HTTP route")
        for entry in await g.response.function_spec()
        if entry["functionType"] == "HttpAction" or entry["visibility"]["kind"] == "public"
    )
    assert_equal(public, ["polls.js:results", "polls.js:vote", "polls.js:voteAll"], "public functions")
    for path in ("ballot/counts:add", "ballot/counts:list"):
        await rejects(g.response.public.query(path, {"poll": "lunch"}), match="Could not find")
