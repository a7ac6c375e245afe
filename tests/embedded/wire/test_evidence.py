"""The log of what calls did, as graders read it."""

from __future__ import annotations

import asyncio

from calls import admin, error, request, value
from samples import CHAT


async def log(dep, cursor=0, wait=0):
    url = f"{dep.url}/api/stream_function_logs?cursor={cursor}&wait={wait}"
    status, _, answer = await request("GET", url, headers=admin(dep))
    assert status == 200, answer
    return answer["entries"], answer["newCursor"]


async def test_a_call_leaves_what_it_read_and_wrote(deploy):
    dep = await deploy(CHAT)
    for body in ("1", "2", "3"):
        await value(dep, "mutation", "messages:send", {"author": "ann", "body": body})
    _, cursor = await log(dep)
    await value(dep, "query", "messages:byAuthor", {"author": "ann"})
    await value(dep, "query", "messages:list")
    await value(dep, "mutation", "messages:send", {"author": "bob", "body": "4"})
    (by_author, scan, send), _ = await log(dep, cursor)
    assert (by_author["kind"], by_author["identifier"], by_author["udfType"]) == (
        "Completion",
        "messages.js:byAuthor",
        "Query",
    )
    assert by_author["usageStats"]["databaseReadDocuments"] == 3
    assert by_author["usageStats"]["databaseReadBytes"] > 0
    assert (by_author["evidence"]["indexes"], by_author["evidence"]["fullScans"]) == (["messages.by_author"], [])
    assert (scan["evidence"]["indexes"], scan["evidence"]["fullScans"]) == ([], ["messages"])
    assert send["usageStats"]["databaseWriteDocuments"] == 1
    assert (send["logLines"], send["error"]) == (["[LOG] 'sending' '4'"], None)


async def test_nested_calls_schedules_and_fetches_are_told(deploy, serve_gate):
    gate = await serve_gate()
    gate.open.set()
    source = f"""
import {{ action, mutation }} from "./_generated/server";
import {{ api }} from "./_generated/api";
export const act = action(async (ctx) => {{
  await fetch("{gate.url}x");
  await ctx.runMutation(api.more.mut, {{}});
  await ctx.scheduler.runAfter(60_000, api.messages.add, {{ name: "n" }});
}});
export const mut = mutation(async (ctx) => {{
  await ctx.runMutation(api.messages.add, {{ name: "n" }});
  await ctx.scheduler.runAfter(60_000, api.messages.add, {{ name: "n" }});
}});
"""
    dep = await deploy({**CHAT, "more.ts": source}, allow=(gate.address,))
    await value(dep, "action", "more:act")
    entries, _ = await log(dep)
    assert [e["identifier"] for e in entries] == ["messages.js:add", "more.js:mut", "more.js:act"]
    add, mut, act = (e["evidence"] for e in entries)
    assert (add["nested"], add["parent"], mut["nested"], mut["parent"]) == (True, "more.js:mut", True, "more.js:act")
    assert (act["nested"], act["parent"]) == (False, None)
    assert (act["calls"], act["fetched"], act["scheduled"]) == (
        ["more.js:mut"],
        [f"{gate.url}x"],
        ["messages.js:add"],
    )
    assert (mut["calls"], mut["scheduled"]) == (["messages.js:add"], ["messages.js:add"])


async def test_failures_are_told_and_retries_are_not(deploy):
    dep = await deploy(CHAT)
    await error(dep, "mutation", "messages:fail", {"how": "plain"})
    entries, cursor = await log(dep)
    assert [("plain plain" in e["error"]) for e in entries] == [True]
    await asyncio.gather(*(value(dep, "mutation", "messages:add", {"name": "n"}) for _ in range(10)))
    entries, _ = await log(dep, cursor)
    assert len(entries) == 10


async def test_the_log_can_be_waited_for(deploy):
    dep = await deploy(CHAT)
    _, cursor = await log(dep)
    waiting = asyncio.ensure_future(log(dep, cursor, wait=20))
    await asyncio.sleep(0)
    await value(dep, "query", "messages:list")
    entries, after = await waiting
    assert [e["identifier"] for e in entries] == ["messages.js:list"]
    assert await log(dep, after) == ([], after)
    assert (await request("GET", f"{dep.url}/api/stream_function_logs?cursor=0"))[0] == 401
    for cursor in ("x", "inf", "nan"):
        url = f"{dep.url}/api/stream_function_logs?cursor={cursor}"
        assert (await request("GET", url, headers=admin(dep)))[0] == 400
