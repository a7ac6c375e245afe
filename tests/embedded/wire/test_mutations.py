"""Mutations: all or nothing, one after the other in effect, with sub-transactions; and actions around them."""

from __future__ import annotations

import asyncio

from calls import call, error, value
from samples import CHAT

NESTED = """
import { action, internalMutation, internalQuery, mutation, query } from "./_generated/server";
import { internal, api } from "./_generated/api";
import { ConvexError, v } from "convex/values";
const put = (ctx, name) => ctx.db.insert("log", { name });
export const names = query(async (ctx) => (await ctx.db.query("log").collect()).map((d) => d.name));
export const inner = internalMutation(async (ctx, { name, fail }) => {
  await put(ctx, name);
  await ctx.scheduler.runAfter(0, internal.nested.inner, { name: "scheduled by " + name });
  if (fail === "data") throw new ConvexError({ name });
  if (fail) throw new Error("inner " + name);
  return name.length;
});
export const outer = mutation(async (ctx) => {
  await put(ctx, "before");
  const caught = [];
  for (const fail of [true, "data", false]) {
    try { await ctx.runMutation(internal.nested.inner, { name: "n-" + fail, fail }); }
    catch (e) { caught.push([e instanceof ConvexError, e.data ?? null, e.message.split("\\n")[0]]); }
  }
  await put(ctx, "after");
  return { caught, seen: await ctx.runQuery(api.nested.names, {}) };
});
export const parallel = mutation(async (ctx) => {
  const results = await Promise.allSettled([
    put(ctx, "a"),
    ctx.runMutation(internal.nested.inner, { name: "b", fail: true }),
    put(ctx, "c"),
    ctx.runMutation(internal.nested.inner, { name: "d" }),
  ]);
  return results.map((r) => r.status);
});
export const sneaky = query(async (ctx) => await ctx.runQuery(api.nested.reallyWrites, {}));
export const reallyWrites = query(async (ctx) => {
  return await Convex.asyncSyscall("1.0/insert", JSON.stringify({ table: "log", value: { name: "sneaked" } }));
});
export const deep = mutation(async (ctx, { n }) => await ctx.runMutation(api.nested.deep, { n: n + 1 }));
export const wrongKind = action(async (ctx) => await ctx.runQuery(internal.nested.inner, {}));
export const viaAction = action(async (ctx) => {
  try { await ctx.runMutation(internal.nested.inner, { name: "x", fail: "data" }); }
  catch (e) { return [e instanceof ConvexError, e.data]; }
});
export const badArgs = action(async (ctx) => await ctx.runMutation(api.messages.send, { author: 1 }));
export const lies = query({ args: {}, returns: v.number(), handler: async () => "text" });
"""


async def test_parallel_mutations_of_one_document_all_count(deploy):
    dep = await deploy(CHAT)
    results = await asyncio.gather(*(value(dep, "mutation", "messages:add", {"name": "n"}) for _ in range(40)))
    assert sorted(results) == list(range(1, 41))


async def test_sub_transactions_roll_back_alone(deploy):
    dep = await deploy({**CHAT, "nested.ts": NESTED})
    answer = await value(dep, "mutation", "nested:outer")
    assert answer["caught"] == [
        [False, None, "Uncaught Error: inner n-true"],
        [True, {"name": "n-data"}, 'Uncaught ConvexError: {"name":"n-data"}'],
    ]
    assert answer["seen"] == ["before", "n-false", "after"]
    async with asyncio.timeout(10):
        while "scheduled by n-false" not in await value(dep, "query", "nested:names"):
            pass
    assert "scheduled by n-true" not in await value(dep, "query", "nested:names"), "a rolled-back call was scheduled"


async def test_parallel_sub_transactions_do_not_mix(deploy):
    dep = await deploy({**CHAT, "nested.ts": NESTED})
    assert await value(dep, "mutation", "nested:parallel") == ["fulfilled", "rejected", "fulfilled", "fulfilled"]
    assert (await value(dep, "query", "nested:names"))[:3] == ["a", "c", "d"]


async def test_queries_cannot_write_even_with_raw_syscalls(deploy):
    dep = await deploy({**CHAT, "nested.ts": NESTED})
    assert "Queries can only read" in await error(dep, "query", "nested:sneaky")
    assert await value(dep, "query", "nested:names") == []


async def test_endless_nesting_ends(deploy):
    dep = await deploy({**CHAT, "nested.ts": NESTED})
    assert "at most 32 deep" in await error(dep, "mutation", "nested:deep", {"n": 0})


async def test_errors_cross_from_mutations_to_actions(deploy):
    dep = await deploy({**CHAT, "nested.ts": NESTED})
    assert await value(dep, "action", "nested:viaAction") == [True, {"name": "x"}]
    assert "but it is defined as Mutation" in await error(dep, "action", "nested:wrongKind")
    assert "ArgumentValidationError" in await error(dep, "action", "nested:badArgs")
    assert "\nReturnsValidationError: " in await error(dep, "query", "nested:lies")


async def test_a_loop_ends_and_others_go_on(deploy):
    source = """
import { query, mutation } from "./_generated/server";
export const forever = query(async () => { while (true); });
export const never = mutation(async (ctx) => { await ctx.db.insert("t", {}); await new Promise(() => {}); });
export const fine = query(async (ctx) => (await ctx.db.query("t").collect()).length);
"""
    dep = await deploy({"loops.ts": source})
    bad, good = await asyncio.gather(call(dep, "query", "loops:forever"), call(dep, "query", "loops:fine"))
    assert bad["status"] == "error"
    assert (good["status"], good.get("value")) == ("success", 0), good
    assert (await call(dep, "mutation", "loops:never"))["status"] == "error"
    assert await value(dep, "query", "loops:fine") == 0
