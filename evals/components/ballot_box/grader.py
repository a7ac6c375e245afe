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
    counted = [await vote(g, "lunch", "soup") for _ in range(2)]
    assert_equal(counted, [4, 5], "numbers of votes of an option that had 3")


async def test_any_strings_are_polls_and_options(g: Grading) -> None:
    """Polls and options are strings of any kind."""
    for poll in ("größe", "$1:2"):
        for option in ("crème brûlée", "$5", "_none", ""):
            counted = await vote(g, poll, option)
            assert counted == 1, f"after the first vote for {option!r} of {poll!r} there are {counted!r}"
        options = [result["option"] for result in await results(g, poll)]
        assert sorted(options) == ["", "$5", "_none", "crème brûlée"], f"options of {poll!r} are {options}"


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


async def test_the_component_lies_in_its_folder(g: Grading) -> None:
    """The definition of the component is in convex/ballot."""
    assert_equal(await results(g, "nothing"), [], "results of a poll without votes")
    found = [
        path for path in g.files if path.startswith("convex/") and path.count("/") > 1 and "convex.config." in path
    ]
    assert_equal(found, ["convex/ballot/convex.config.ts"], "definitions of components")
