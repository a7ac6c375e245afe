"""The grader's view of real deployments: calls, identities, tables, live queries, site, fixtures, evidence."""

import asyncio

import pytest

from convex_evals.graders.api import (
    CallFailed,
    Grading,
    Int64,
    compare_function_spec,
    compare_schema,
    raises,
    rejects,
    wait_until,
)
from tests.graders.conftest import Graded

SCHEMA = """import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  notes: defineTable({ text: v.string(), n: v.optional(v.number()) }).index("by_text", ["text"]),
  tags: defineTable({ name: v.union(v.string(), v.int64()) }),
});"""
NOTES = """import { v, ConvexError } from "convex/values";
import { query, mutation, action, internalMutation, internalQuery } from "./_generated/server";
import { internal } from "./_generated/api";
export const list = query({ args: {}, handler: async (ctx) =>
  (await ctx.db.query("notes").collect()).map((n) => n.text) });
export const find = query({ args: { text: v.string() }, handler: async (ctx, { text }) =>
  await ctx.db.query("notes").withIndex("by_text", (q) => q.eq("text", text)).collect() });
export const add = mutation({ args: { text: v.string() }, handler: async (ctx, { text }) => {
  console.log("adding", text);
  return await ctx.db.insert("notes", { text }); } });
export const later = mutation({ args: {}, handler: async (ctx) => {
  await ctx.scheduler.runAfter(0, internal.notes.hidden, { text: "later" }); return null; } });
export const hidden = internalMutation({ args: { text: v.string() }, handler: async (ctx, { text }) => {
  await ctx.db.insert("notes", { text }); return null; } });
export const total = internalQuery({ args: {}, handler: async (ctx) =>
  (await ctx.db.query("notes").collect()).length });
export const who = query({ args: {}, handler: async (ctx) => await ctx.auth.getUserIdentity() });
export const echo = query({ args: { value: v.any() }, handler: async (_, { value }) => value });
export const fail = mutation({ args: {}, handler: async () => {
  throw new ConvexError({ code: 7n, why: "because" }); } });
export const boundary = query({ args: {}, handler: async (ctx) => {
  if ((await ctx.db.query("notes").collect()).length > 0) throw new ConvexError("too many"); return "ok"; } });
export const get = action({ args: { url: v.string() }, handler: async (ctx, { url }) => {
  await ctx.runMutation(internal.notes.hidden, { text: "fetching" });
  const response = await fetch(url, { method: "POST", body: "ping" });
  return { status: response.status, text: await response.text() }; } });"""
HTTP = """import { httpRouter } from "convex/server";
import { httpAction } from "./_generated/server";
const http = httpRouter();
http.route({ path: "/echo", method: "POST", handler: httpAction(async (ctx, request) =>
  new Response(await request.text(), {
  status: 201, headers: { "X-Seen": request.headers.get("x-key") ?? "none" } })) });
http.route({ path: "/json", method: "GET", handler: httpAction(async () => Response.json({ a: [1] })) });
http.route({ path: "/away", method: "GET", handler: httpAction(async () =>
  new Response(null, { status: 302, headers: { Location: "/json" } })) });
export default http;"""
CRONS = """import { cronJobs } from "convex/server";
import { api, internal } from "./_generated/api";
const crons = cronJobs();
crons.interval("tick", { hours: 5 }, internal.notes.hidden, { text: "cron" });
crons.daily("day", { hourUTC: 3, minuteUTC: 7 }, api.notes.later);
export default crons;"""
FILES = {
    "convex/schema.ts": SCHEMA,
    "convex/notes.ts": NOTES,
    "convex/http.ts": HTTP,
}


@pytest.fixture
async def g(graded: Graded) -> Grading:
    return await graded(FILES)


async def test_calls_and_their_failures(g: Grading) -> None:
    note = await g.response.public.mutation("notes:add", {"text": "a"})
    assert isinstance(note, str)
    assert await g.response.public.query("notes:list") == ["a"]
    failure = await rejects(g.response.public.mutation("notes:fail"), match="ConvexError")
    assert failure.data == {"code": Int64(7), "why": "because"}
    with raises("ArgumentValidationError"):
        await g.response.public.mutation("notes:add", {"text": 5})
    with raises(CallFailed, match="Could not find public function"):
        await g.response.public.mutation("notes:hidden", {"text": "x"})
    await g.response.admin.mutation("notes:hidden", {"text": "x"})
    with raises("Could not find"):
        await g.response.public.query("nothing:here")


@pytest.mark.parametrize(
    "value", [Int64(-5), 1.5, b"\x00\xff", None, [True, {"a": float("inf")}], "größe 🚀", {}, 2**53]
)
async def test_values_cross_both_ways(g: Grading, value: object) -> None:
    assert await g.response.public.query("notes:echo", {"value": value}) == value


async def test_identities(g: Grading) -> None:
    assert await g.response.public.query("notes:who") is None
    assert await g.response.admin.query("notes:who") is None
    ada = await g.response.as_user("ada", name="Ada", email="ada@example.com").query("notes:who")
    assert (ada["subject"], ada["name"], ada["email"]) == ("ada", "Ada", "ada@example.com")
    assert ada["tokenIdentifier"] == f"{ada['issuer']}|ada"
    async with g.response.as_user("bob").subscribe("notes:who") as live:
        assert (await live.next())["subject"] == "bob"


async def test_tables(g: Grading) -> None:
    ids = await g.response.insert("notes", {"text": "a", "n": 1}, {"text": "b"})
    await g.response.insert("tags", {"name": Int64(5)})
    documents = await g.response.read("notes")
    assert [(document["_id"], document["text"], document.get("n")) for document in documents] == [
        (ids[0], "a", 1),
        (ids[1], "b", None),
    ]
    assert (await g.response.read("tags"))[0]["name"] == Int64(5)
    assert [document["text"] for document in await g.response.read("notes", 1)] == ["b"]
    with raises(CallFailed, match="text"):
        await g.response.insert("notes", {"text": 5})
    await g.response.clear("notes")
    assert await g.response.read("notes") == []
    assert await g.response.read("no_such_table") == []
    await g.clear()
    assert await g.response.read("tags") == []


async def test_clearing_takes_as_many_pages_as_it_needs(g: Grading) -> None:
    await g.response.insert("notes", *({"text": str(n)} for n in range(4100)))
    await g.clear()
    assert await g.response.read("notes") == []


async def test_a_live_query_follows(g: Grading) -> None:
    async with g.response.public.subscribe("notes:list") as live:
        assert await live.next() == []
        await g.response.public.mutation("notes:add", {"text": "a"})
        assert await live.next() == ["a"]
        await g.response.public.mutation("notes:later")
        assert await live.until(lambda texts: "later" in texts) == ["a", "later"]
        with pytest.raises(AssertionError, match=r"no new value within 0\.2 s; last was \['a', 'later'\]"):
            await live.next(timeout_seconds=0.2)


async def test_a_live_query_fails_and_comes_back(g: Grading) -> None:
    async with g.response.public.subscribe("notes:boundary") as live:
        assert await live.next() == "ok"
        await g.response.insert("notes", {"text": "a"})
        failure = await rejects(live.next())
        assert failure.data == "too many"
        await g.response.clear("notes")
        assert await live.next() == "ok"


async def test_the_site(g: Grading) -> None:
    answer = await g.response.site("POST", "/echo", body="ping", headers={"X-Key": "k"})
    assert (answer.status, answer.text, answer.headers["x-seen"]) == (201, "ping", "k")
    assert (await g.response.site("POST", "/echo", json={"a": 1})).json() == {"a": 1}
    assert (await g.response.site("GET", "/json")).json() == {"a": [1]}
    assert (await g.response.site("GET", "/away")).status == 302
    assert (await g.response.site("GET", "/none")).status == 404
    with pytest.raises(AssertionError, match="no JSON: 'ping'"):
        answer.json()


async def test_actions_reach_a_fixture_of_the_grading_and_no_other_port(g: Grading) -> None:
    async with g.loopback({"/x": (418, "pong")}) as fixture:
        value = await g.response.public.action("notes:get", {"url": f"{fixture.url}/x"})
        assert value == {"status": 418, "text": "pong"}
        assert [(request.method, request.text) for request in fixture.requests] == [("POST", "ping")]
        assert (await g.answer.public.action("notes:get", {"url": f"{fixture.url}/x"}))["status"] == 418
    listener = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        await rejects(g.response.public.action("notes:get", {"url": f"http://127.0.0.1:{port}/"}))


async def test_what_is_deployed_is_listed(graded: Graded) -> None:
    files = {**FILES, "convex/crons.ts": CRONS}
    g = await graded(files)
    spec = {entry["identifier"]: entry for entry in await g.response.function_spec() if "identifier" in entry}
    assert spec["notes.js:hidden"]["visibility"] == {"kind": "internal"}
    schema = await g.response.schema()
    assert schema is not None
    assert [table["tableName"] for table in schema["tables"]] == ["notes", "tags"]
    crons = {cron.name: cron for cron in await g.response.crons()}
    assert (crons["tick"].path, crons["tick"].args) == ("notes:hidden", {"text": "cron"})
    assert crons["tick"].schedule == {"type": "interval", "seconds": 5 * 3600}
    assert (crons["day"].path, crons["day"].args, crons["day"].schedule["hourUTC"]) == ("notes:later", {}, 3)
    assert g.response.files == files


async def test_evidence_of_what_calls_did(g: Grading) -> None:
    await g.response.insert("notes", *({"text": text} for text in "abcab"))
    await g.response.public.query("notes:list")
    async with g.response.evidence() as seen:
        await g.response.public.query("notes:find", {"text": "a"})
        await g.response.public.mutation("notes:later")
        await g.response.public.mutation("notes:add", {"text": "x"})
        await rejects(g.response.public.mutation("notes:fail"))
        async with g.loopback({"/x": (200, "pong")}) as fixture:
            await g.response.public.action("notes:get", {"url": f"{fixture.url}/x"})
        await wait_until(lambda: g.response.admin.query("notes:find", {"text": "later"}))
    find = seen.of("notes:find")[0]
    assert (find.kind, find.documents_read, find.full_scans, find.success) == ("query", 2, (), True)
    assert find.indexes == ("notes.by_text",)
    assert seen.one("notes:later").scheduled == ("notes:hidden",)
    added = seen.one("notes:add")
    assert (added.documents_written, added.log_lines) == (1, ("[LOG] 'adding' 'x'",))
    assert not seen.one("notes:fail").success
    got = seen.one("notes:get")
    assert (got.kind, got.calls, len(got.fetched)) == ("action", ("notes:hidden",), 1)
    assert [call.nested for call in seen.of("notes:hidden")].count(True) == 1
    with pytest.raises(AssertionError, match="notes:list did not run"):
        seen.of("notes:list")
    async with g.response.evidence() as seen:
        await g.response.public.query("notes:list")
    assert seen.one("notes:list").full_scans == ("notes",)


async def test_equal_projects_compare_equal_and_the_answer_is_deployed_once(graded: Graded) -> None:
    reordered = SCHEMA.replace("v.union(v.string(), v.int64())", "v.union(v.int64(), v.string())")
    g = await graded({**FILES, "convex/schema.ts": reordered}, answer=FILES)
    await compare_schema(g)
    await compare_function_spec(g)
    await compare_function_spec(g, internal=True, order=True, returns=True)
    assert (await g.answer.locate()) is (await g.answer.locate())


DIFFERENT_SCHEMA = SCHEMA.replace('["text"]', '["text", "n"]')
DIFFERENT_NOTES = (
    NOTES.replace("export const add = mutation({ args: { text: v.string() }", "export const add = mutation({ args: {}")
    .replace("handler: async (ctx, { text }) => {\n  console", "handler: async (ctx, { text }: any) => {\n  console")
    .replace("internalQuery({ args: {}", "internalQuery({ args: { x: v.any() }")
)


async def test_differences_are_shown(graded: Graded) -> None:
    g = await graded({**FILES, "convex/schema.ts": DIFFERENT_SCHEMA, "convex/notes.ts": DIFFERENT_NOTES}, answer=FILES)
    with pytest.raises(AssertionError, match=r'(?s)schema differs.*\+ +"n"'):
        await compare_schema(g)
    await compare_schema(g, tables=["tags"])
    with pytest.raises(AssertionError, match=r'(?s)functions differ.*- +"text": \{'):
        await compare_function_spec(g)
    await compare_function_spec(g, only=["notes:list", "notes:total"])
    with pytest.raises(AssertionError, match=r'(?s)functions differ.*\+ +"x": \{'):
        await compare_function_spec(g, only=["notes:total"], internal=True)


async def test_order_counts_on_request(graded: Graded) -> None:
    first, second = (f"export const {name} = query({{ args: {{}}, handler: async () => null }});" for name in "ba")
    head = 'import { query } from "./_generated/server";'
    g = await graded(
        {"convex/a.ts": "\n".join([head, first, second])}, answer={"convex/a.ts": "\n".join([head, second, first])}
    )
    await compare_function_spec(g)
    with pytest.raises(AssertionError, match="functions differ"):
        await compare_function_spec(g, order=True)
    await compare_schema(g)
