"""A grader.py run against a real deployment: order, clean tables, messages, deadlines, and whose fault it may be."""

import pytest

from convex_evals.errors import BackendUnavailable, GraderBroken
from convex_evals.graders import python
from convex_evals.graders.python import run_python
from tests.graders.conftest import Graded

FILES = {
    "convex/notes.ts": """import { mutation, query } from "./_generated/server";
export const add = mutation({ args: {}, handler: async (ctx) => { await ctx.db.insert("notes", { text: "a" }); } });
export const list = query({ args: {}, handler: async (ctx) => await ctx.db.query("notes").collect() });
export const fail = mutation({ args: {}, handler: async () => { throw new Error("thrown"); } });""",
    "convex/schema.ts": """import { defineSchema, defineTable } from "convex/server"; import { v } from "convex/values";
export default defineSchema({ notes: defineTable({ text: v.string() }) });""",
}
HEAD = "from convex_evals.graders.api import Grading, wait_until\nimport asyncio\n"


async def test_tests_run_in_source_order_with_clean_tables(graded: Graded) -> None:
    test = """
async def test_{name}(g: Grading) -> None:
    for side in (g.response, g.answer):
        assert await side.public.query("notes:list") == [], "not clean"
        await side.public.mutation("notes:add")
        await side.insert("other", {{"x": 1}})
        found = await side.read("other")
        assert len(found) == 1, f"{{found!r}}"
"""
    # The table `other` is in no schema: that it has to be emptied is known from its use.
    schema = FILES["convex/schema.ts"].replace("});", "}, { schemaValidation: false });")
    files = {**FILES, "convex/schema.ts": schema}
    g = await graded(files, grader=HEAD + "".join(test.format(name=name) for name in ("zebra", "ant")))
    run = await run_python(g.ev, g)
    assert [(name, test.status) for name, test in run.tests.items()] == [
        ("test_zebra", "pass"),
        ("test_ant", "pass"),
    ], run
    assert all(test.seconds > 0 for test in run.tests.values())
    assert run.not_assertions == {}


FAILING = (
    HEAD
    + """
async def test_assertion(g: Grading) -> None:
    found = await g.response.public.query("notes:list")
    assert found == [1], f"found {found!r}"
async def test_bare(g: Grading) -> None:
    assert 1 == 2
async def deeper(g: Grading) -> None:
    await g.response.public.mutation("notes:fail")
async def test_call(g: Grading) -> None:
    await deeper(g)
async def test_waiting(g: Grading) -> None:
    await wait_until(lambda: None, seconds=0.05, what="a thing")
async def test_unexpected(g: Grading) -> None:
    (await g.response.public.query("notes:list"))["missing"]
async def test_its_own_timeout(g: Grading) -> None:
    raise TimeoutError("mine")
async def test_after(g: Grading) -> None:
    pass
"""
)


async def test_failures_say_where_and_with_what(graded: Graded) -> None:
    g = await graded(FILES, grader=FAILING)
    run = await run_python(g.ev, g)
    messages = {name: test.message for name, test in run.tests.items()}
    assert messages["test_assertion"] == "grader.py:6: found []"
    assert messages["test_bare"] == "grader.py:8: assert 1 == 2"
    assert messages["test_call"].startswith("grader.py:10: notes:fail: ")
    assert "Uncaught Error: thrown" in messages["test_call"]
    assert messages["test_waiting"] == "grader.py:14: a thing: not within 0.05 s; last answer: None"
    assert messages["test_unexpected"].startswith("grader.py:16: TypeError: ")
    assert [test.status for test in run.tests.values()] == ["fail"] * 6 + ["pass"]
    assert set(run.not_assertions) == {"test_unexpected", "test_its_own_timeout"}
    assert "Traceback" in run.not_assertions["test_unexpected"]


async def test_a_test_that_hangs_is_cut_off(graded: Graded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "TEST_SECONDS", 0.2)
    text = (
        HEAD
        + """
async def test_hangs(g: Grading) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        g.cleaned = True
async def test_next(g: Grading) -> None:
    assert g.cleaned
"""
    )
    g = await graded(FILES, grader=text)
    run = await run_python(g.ev, g)
    assert run.tests["test_hangs"].message == "grader.py:6: not finished within 0.2 s"
    assert run.tests["test_next"].status == "pass"
    assert run.not_assertions == {}


@pytest.mark.parametrize("before", [True, False])
async def test_what_is_not_the_submissions_doing_passes_through(graded: Graded, before: bool) -> None:
    text = """
async def test_a(g: Grading) -> None:
    await (await g.response.locate()).close()
    await g.response.public.query("notes:list")
"""
    g = await graded(FILES, grader=HEAD + text)
    if before:
        await (await g.response.locate()).close()
    with pytest.raises(BackendUnavailable):
        await run_python(g.ev, g)


async def test_a_grader_without_tests_is_broken(graded: Graded) -> None:
    g = await graded(FILES, grader=HEAD)
    with pytest.raises(GraderBroken, match="declares no test"):
        await run_python(g.ev, g)


async def test_a_missing_file_of_the_submission_is_an_assertion(graded: Graded) -> None:
    g = await graded(FILES)
    with pytest.raises(AssertionError, match=r"has no convex/index\.ts; it has \['convex/notes\.ts'"):
        g.source("convex/index.ts")
    assert [source.path for source in g.sources()] == ["convex/notes.ts", "convex/schema.ts"]
    assert g.source("convex/notes.ts").export("list").call is not None
