"""Questions to the syntax tree: names are resolved, chains are followed, comments and strings are not code."""

import pytest

from convex_evals.graders.source import Source


def source(text: str, path: str = "convex/index.ts") -> Source:
    return Source(path, text)


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ('"use node";\nimport x from "y";', ("use node",)),
        ("// a comment\n'use node'\n", ("use node",)),
        ('import x from "y";\n"use node";', ()),
        ('// "use node";\nexport const a = "use node";', ()),
    ],
)
def test_directives_stand_before_the_first_statement(text: str, directives: tuple[str, ...]) -> None:
    assert source(text).directives() == directives


def test_imports() -> None:
    found = source(
        """import { query as q, type Doc } from "./_generated/server";
        import * as crypto from "node:crypto"; import fallback from "z"; import type { T } from "t"; import "side";
        export { a as b } from "./c";"""
    ).imports()
    assert [(i.module, dict(i.names), i.type_only) for i in found] == [
        ("./_generated/server", {"query": "q", "Doc": "Doc"}, False),
        ("node:crypto", {"*": "crypto"}, False),
        ("z", {"default": "fallback"}, False),
        ("t", {"T": "T"}, True),
        ("side", {}, False),
        ("./c", {"a": "b"}, False),
    ]


def test_exports_say_by_which_call_they_are_made() -> None:
    found = source(
        """import { query as q, internalMutation } from "./_generated/server";
        export const list = q({ args: {}, handler: async () => [] });
        const hidden = internalMutation({ handler: async () => null });
        export { hidden as shown };
        export function plain() {}
        const crons = cronJobs();
        export default crons;"""
    )
    made = {item.name: item.call.name if item.call else None for item in found.exports()}
    assert made == {
        "list": "query",
        "shown": "internalMutation",
        "plain": None,
        "default": "cronJobs",
    }
    call = found.export("list").call
    assert call is not None
    assert call.keys == ("args", "handler")
    with pytest.raises(AssertionError, match=r"does not export gone; it exports \['list'"):
        found.export("gone")


WAYS_TO_QUERY = {
    "direct": """export const f = query({ handler: async (ctx) => {
        return await ctx.db.query("m").withIndex("by_a", (q) => q.eq("a", 1)).collect(); } });""",
    "other name": """export const f = query({ handler: async (c, a) => {
        return await c.db.query("m").withIndex("by_a").collect(); } });""",
    "destructured parameter": """export const f = query({ handler: async ({ db }) =>
        await db.query("m").withIndex("by_a").collect() });""",
    "method": """export const f = query({ async handler(ctx) {
        return await ctx.db.query("m").withIndex("by_a").collect(); } });""",
    "destructured constant": """export const f = query(async (ctx) => { const { db } = ctx;
        return await db.query("m").withIndex("by_a").collect(); });""",
    "renamed": """export const f = query({ handler: async (ctx) => { const { db: d } = ctx; const e = d;
        return await e.query("m").withIndex("by_a").collect(); } });""",
    "kept in a variable": """export const f = query({ handler: async (ctx) => {
        const all = ctx.db.query("m"); const some = all.withIndex("by_a"); return await some.collect(); } });""",
    "typed helper": """async function f(c: QueryCtx) {
        return await (c.db!.query("m") as any).withIndex("by_a")["collect"](); }""",
}


@pytest.mark.parametrize("way", WAYS_TO_QUERY)
def test_a_query_is_found_however_it_is_written(way: str) -> None:
    (call,) = source(WAYS_TO_QUERY[way]).calls("ctx.db.query")
    assert (call.strings, call.steps, call.inside) == (("m",), ("withIndex", "collect"), "f")
    assert call.then[0].args[:1] == ('"by_a"',)


def test_what_is_done_with_the_awaited_array_is_no_step() -> None:
    (call,) = source(
        """export const f = query({ handler: async (ctx) => {
        const rows = await ctx.db.query("m").collect();
        return rows.filter((row) => row.a).map((row) => row.b).concat((await ctx.db.get(x)).list); } });"""
    ).calls("ctx.db.query")
    assert call.steps == ("collect",)
    assert call.awaited


def test_a_loop_and_a_reassigned_query_are_followed() -> None:
    (call,) = source(
        """export const f = query({ handler: async (ctx) => {
        let q = ctx.db.query("m"); q = q.order("desc");
        for await (const row of q.filter(() => true)) { use(row); } } });"""
    ).calls("ctx.db.query")
    assert call.steps == ("order", "filter", "for await")


def test_a_missing_await_is_seen() -> None:
    calls = source(
        """export const f = mutation({ handler: async (ctx, args) => {
        ctx.db.insert("m", args); await ctx.db.patch(args.id, {}); } });"""
    ).calls()
    assert {call.name: call.awaited for call in calls if call.name.startswith("ctx.")} == {
        "ctx.db.insert": False,
        "ctx.db.patch": True,
    }


def test_words_in_comments_and_strings_are_no_calls() -> None:
    assert source('// ctx.db.query("m")\nconst s = `ctx.db.query("m")`;').calls() == []


def test_an_awaited_value_is_not_the_promise() -> None:
    names = [call.name for call in source("const rows = await pending; rows.map(show);").calls()]
    assert names == ["rows.map"]


def test_a_callback_s_parameter_is_not_the_context() -> None:
    names = [call.name for call in source("rows.map((row) => row.db.query('m'))").calls()]
    assert names == ["rows.map", "row.db.query"]


def test_jsx_and_type_assertions_parse_in_their_own_files() -> None:
    jsx = source("export const A = () => <p>{useQuery(api.m.list)}</p>;", "src/App.tsx")
    assert [call.name for call in jsx.calls()] == ["useQuery"]
    assert not jsx.broken
    assert not source("const a = <Foo>b;", "convex/a.ts").broken
    assert source("const a = = b;").broken


def test_strings() -> None:
    assert source("f('a\\n', `b`, `c${d}`)").strings() == ["a\n", "b"]
