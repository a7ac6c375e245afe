"""What else `ctx` offers: metadata, metrics, search; and raw syscalls from hostile code."""

from __future__ import annotations

import json

import pytest
from calls import call, error, value
from samples import CHAT

META = """
import { action, mutation, query } from "./_generated/server";
import { api } from "./_generated/api";
import { createFunctionHandle } from "convex/server";
export const info = mutation(async (ctx) => {
  await ctx.db.insert("counters", { name: "x", count: 1 });
  const metrics = await ctx.meta.getTransactionMetrics();
  return {
    fn: await ctx.meta.getFunctionMetadata(),
    deployment: await ctx.meta.getDeploymentMetadata(),
    request: (await ctx.meta.getRequestMetadata()).requestId.length,
    written: metrics.documentsWritten.used,
  };
});
export const limited = mutation(async (ctx) => {
  try {
    await ctx.runMutation(api.meta.many, { n: 5 }, { transactionLimits: { documentsWritten: 3 } });
  } catch (e) { return e.message.split("\\n")[0]; }
});
export const many = mutation(async (ctx, { n }) => {
  for (let i = 0; i < n; i++) await ctx.db.insert("counters", { name: "m", count: i });
});
export const handle = query(async () => await createFunctionHandle(api.messages.list));
export const viaHandle = action(async (ctx, { handle }) => await ctx.runQuery(handle, {}));
export const raw = mutation(async (ctx, { op, text }) => await Convex.asyncSyscall(op, text));
export const rawInAction = action(async (ctx, { op, text }) => await Convex.asyncSyscall(op, text));
"""


async def test_metadata_and_metrics(deploy):
    dep = await deploy({**CHAT, "meta.ts": META})
    info = await value(dep, "mutation", "meta:info")
    assert info["fn"] == {"name": "meta:info", "componentPath": "", "type": "mutation", "visibility": "public"}
    assert info["deployment"]["name"] == "embedded"
    assert (info["request"], info["written"]) == (16, 1)


async def test_limits_of_a_nested_transaction(deploy):
    dep = await deploy({**CHAT, "meta.ts": META})
    assert "Too many writes" in await value(dep, "mutation", "meta:limited")


async def test_handles(deploy):
    dep = await deploy({**CHAT, "meta.ts": META})
    handle = await value(dep, "query", "meta:handle")
    assert handle.startswith("function://")
    assert await value(dep, "action", "meta:viaHandle", {"handle": handle}) == []
    for bad in ("nowhere;messages.js:list", "", ";x", ";_system/cli/modules:apiSpec"):
        bad = f"function://{bad}"
        await error(dep, "action", "meta:viaHandle", {"handle": bad})


SEARCH = {
    "schema.ts": """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  docs: defineTable({ text: v.string(), embedding: v.array(v.float64()) })
    .searchIndex("by_text", { searchField: "text" })
    .vectorIndex("by_embedding", { vectorField: "embedding", dimensions: 2 }),
});
""",
    "docs.ts": """
import { action, mutation, query } from "./_generated/server";
export const put = mutation(async (ctx, doc) => await ctx.db.insert("docs", doc));
export const find = query(async (ctx, { words }) =>
  (await ctx.db.query("docs").withSearchIndex("by_text", (q) => q.search("text", words)).collect()).map((d) => d.text));
export const near = action(async (ctx, { vector }) =>
  (await ctx.vectorSearch("docs", "by_embedding", { vector, limit: 1 })).map((r) => r._id));
""",
}


async def test_search(deploy):
    dep = await deploy(SEARCH)
    await value(dep, "mutation", "docs:put", {"text": "a red apple", "embedding": [1, 0]})
    pear = await value(dep, "mutation", "docs:put", {"text": "a green pear", "embedding": [0, 1]})
    assert await value(dep, "query", "docs:find", {"words": "pear"}) == ["a green pear"]
    assert await value(dep, "action", "docs:near", {"vector": [0.1, 0.9]}) == [pear]


OPERATIONS = [
    "1.0/get",
    "1.0/insert",
    "1.0/shallowMerge",
    "1.0/replace",
    "1.0/remove",
    "queryBatch",
    "1.0/queryPage",
    "1.0/count",
    "1.0/runUdf",
    "1.0/schedule",
    "1.0/cancel_job",
    "1.0/storageGetUrl",
    "1.0/storageGetMetadata",
    "1.0/storageStore",
    "1.0/storageDelete",
    "1.0/createFunctionHandle",
    "1.0/actions/query",
    "1.0/actions/mutation",
    "1.0/actions/action",
    "1.0/actions/schedule",
    "1.0/actions/cancel_job",
    "1.0/storageGet",
    "1.0/actions/vectorSearch",
    "1.0/createServiceToken",
    "1.0/signJwt",
    "nonsense",
    "__class__",
    "syscall",
]
NONSENSE = [
    {},
    None,
    [],
    "text",
    {"id": 5, "table": 5, "query": 5, "size": "x", "storageId": {}, "name": 7, "ts": "soon", "args": 3},
    {"id": "x", "table": "_storage", "query": {}, "size": -1, "storageId": "x", "name": "x:y", "ts": 1, "args": []},
    {"name": "meta:many", "args": [1, 2], "ts": None, "udfType": "mutation", "transactionLimits": 3, "blob": "%%%"},
    {"name": "meta:many", "args": {}, "ts": True, "transactionLimits": {"documentsWritten": "x"}, "blob": "AA"},
    {"query": {"source": {"type": "IndexRange", "indexName": "x.y", "range": 3}, "operators": 1}, "size": 1e9},
    {"query": {"source": {"type": "FullTableScan", "tableName": "counters"}, "operators": [{"limit": "x"}]}, "size": 5},
    {"query": {"source": {"type": "Search", "indexName": [], "filters": {}}, "operators": []}, "cursor": 3, "size": 1},
    {"query": {"indexName": "counters.by_name", "vector": ["x"], "limit": -1, "expressions": []}},
    {"table": "counters", "value": {"$bad": 1}},
    {"table": "_scheduled_functions", "value": {"name": "x"}},
    {"reference": "_reference/childComponent/x", "functionHandle": "function://"},
]


@pytest.mark.parametrize("kind", ["mutation", "action"])
async def test_no_syscall_of_hostile_code_breaks_the_trusted_side(deploy, kind):
    dep = await deploy({**CHAT, "meta.ts": META})
    path = "meta:raw" if kind == "mutation" else "meta:rawInAction"
    for op in OPERATIONS:
        for args in NONSENSE:
            # As text: most of it is no Convex value.
            answer = await call(dep, kind, path, {"op": op, "text": json.dumps(args)})
            assert "InternalServerError" not in answer.get("errorMessage", ""), (op, args, answer)
    assert await value(dep, "query", "messages:list") == []
    table = {"table": "_scheduled_functions", "limit": 10}
    assert await value(dep, "query", "_system/frontend/listTableScan", table) == []
