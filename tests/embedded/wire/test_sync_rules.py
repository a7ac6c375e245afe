"""The ordering rules of the sync protocol, with a bare client. Official clients reconnect when one is broken."""

from __future__ import annotations

import asyncio
import random

import pytest
from samples import CHAT
from sync_socket import SyncSocket, sync_socket, ts_of, wait_for

SLOW = """
import { query } from "./_generated/server";
export const spin = query(async (ctx) => {
  let n = 0;
  while (n < 2e8) n++;
  return "spun";
});
"""


async def test_a_mutation_is_answered_before_a_transition_to_its_commit(deploy):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        await client.mutate(0, "messages:add", {"name": "a"})
        answer = await client.receive()
        assert (answer["type"], answer["success"], answer["result"]) == ("MutationResponse", True, 1)
        transition = await client.receive()
        assert transition["type"] == "Transition"
        assert ts_of(transition["endVersion"]["ts"]) >= ts_of(answer["ts"])


async def test_a_failed_mutation_has_no_timestamp_and_no_error_data(deploy):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        await client.mutate(0, "messages:fail", {"how": "plain"})
        answer = await client.receive()
        assert answer["success"] is False
        assert not {"ts", "errorData"} & set(answer)
        await client.mutate(1, "messages:fail", {"how": "convex"})
        answer = await client.response(1)
        assert answer["errorData"] == {"code": 7, "big": {"$integer": "AgAAAAAAAAA="}}
        await client.add(1, "messages:list")
        await client.value(1, [])


async def test_a_remove_is_acknowledged_without_waiting_for_other_queries(deploy):
    dep = await deploy({**CHAT, "slow.ts": SLOW})
    async with sync_socket(dep.url) as client:
        await client.add(1, "messages:list")
        await client.value(1, [])
        await client.add(2, "slow:spin")
        await client.remove(1)
        first = await client.receive()
        assert [m["type"] for m in first["modifications"]] == ["QueryRemoved"]
        assert 2 not in client.queries
        await client.value(2, "spun")


async def test_mutations_keep_their_order_and_queries_do_not_wait_for_them(deploy):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        for i in range(60):
            await client.mutate(i, "messages:add", {"name": "n"})
        await client.add(1, "messages:list")
        order, results, seen_at = [], [], None
        while len(order) < 60:
            message = await client.receive()
            if message["type"] == "MutationResponse":
                order.append(message["requestId"])
                results.append(message["result"])
            if 1 in client.queries and seen_at is None:
                seen_at = len(order)
        assert order == list(range(60))
        assert results == list(range(1, 61))
        assert seen_at is not None
        assert seen_at < 60


async def test_actions_run_beside_mutations_and_each_other(deploy, serve_gate):
    gate = await serve_gate()
    source = f"""
import {{ action }} from "./_generated/server";
export const wait = action(async () => await (await fetch("{gate.url}")).text());
"""
    dep = await deploy({**CHAT, "waits.ts": source}, allow=(gate.address,))
    async with sync_socket(dep.url) as client:
        for i in (0, 1):
            await client.send(type="Action", requestId=i, udfPath="waits:wait", args=[{}])
        await client.mutate(2, "messages:add", {"name": "x"})
        assert (await client.response(2))["success"]
        await gate.arrived(2)
        gate.open.set()
        answers = {(await client.until(lambda m: m["type"] == "ActionResponse"))["requestId"] for _ in range(2)}
        assert answers == {0, 1}


async def test_a_new_identity_runs_all_queries_again(deploy):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        await client.add(1, "messages:whoami")
        await client.value(1, None)
        user = {"subject": "u1", "issuer": "i"}
        await client.send(
            type="Authenticate", tokenType="Admin", value=dep.admin_key, baseVersion=0, impersonating=user
        )
        await client.value(1, {**user, "tokenIdentifier": "i|u1"})
        assert client.version["identity"] == 1
        await client.send(type="Authenticate", tokenType="None", baseVersion=1)
        await client.value(1, None)
        assert client.version["identity"] == 2


async def test_a_refused_identity_changes_nothing(deploy):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        await client.send(type="Authenticate", tokenType="User", value="a.b.c", baseVersion=0)
        refusal = await client.receive()
        assert (refusal["type"], refusal["baseVersion"], refusal["authUpdateAttempted"]) == ("AuthError", 0, True)
        await client.send(type="Authenticate", tokenType="Admin", value="wrong", baseVersion=1)
        assert (await client.receive())["type"] == "AuthError"
        await client.add(1, "messages:secret")
        await client.until(lambda m: m["type"] == "Transition" and m["modifications"])
        assert "Could not find public function" in client.queries[1]
        # The client counts its attempts on.
        await client.send(type="Authenticate", tokenType="Admin", value=dep.admin_key, baseVersion=2)
        await client.value(1, "internal")


async def test_only_touched_queries_run_again_and_only_changes_are_sent(deploy):
    dep = await deploy(CHAT)
    log = dep._deployment.engine.log
    async with sync_socket(dep.url) as client:
        await client.modify(
            {"type": "Add", "queryId": 1, "udfPath": "messages:count", "args": [{"name": "a"}]},
            {"type": "Add", "queryId": 2, "udfPath": "messages:count", "args": [{"name": "b"}]},
            {"type": "Add", "queryId": 3, "udfPath": "messages:list", "args": [{}]},
        )
        await client.value(3, [])
        _, cursor = log.since(0)
        await client.mutate(0, "messages:add", {"name": "a"})
        changed = await client.until(lambda m: m["type"] == "Transition" and m["modifications"])
        assert [m["queryId"] for m in changed["modifications"]] == [1]
        entries, _ = log.since(cursor)
        assert [e["identifier"] for e in entries if e["udfType"] == "Query"] == ["messages.js:count"]


async def test_a_query_that_runs_again_with_the_same_result_is_not_sent(deploy):
    dep = await deploy(CHAT)
    log = dep._deployment.engine.log
    async with sync_socket(dep.url) as client:
        await client.add(1, "messages:some")
        await client.mutate(0, "messages:send", {"author": "a", "body": "1"})
        await client.value(1, True)
        source = """
import { mutation } from "./_generated/server";
export const swap = mutation(async (ctx) => {
  const first = await ctx.db.query("messages").first();
  await ctx.db.delete(first._id);
  await ctx.db.insert("messages", { author: "a", body: "2" });
});
"""
        await deploy({**CHAT, "swap.ts": source}, onto=dep)
        _, cursor = log.since(0)
        await client.mutate(1, "swap:swap")
        await client.response(1)
        transition = await client.receive()
        assert transition["modifications"] == []
        entries, _ = log.since(cursor)
        assert "messages.js:some" in [e["identifier"] for e in entries]


async def test_a_push_runs_live_queries_with_the_new_code(deploy):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        await client.add(1, "messages:list")
        await client.value(1, [])
        source = 'import { query } from "./_generated/server"; export const list = query(async () => "new");'
        await deploy({"messages.ts": source}, onto=dep)
        await client.value(1, "new")


async def test_a_scheduled_function_reaches_live_queries(deploy):
    source = """
import { mutation } from "./_generated/server";
import { api } from "./_generated/api";
export const later = mutation(async (ctx) => {
  await ctx.scheduler.runAfter(0, api.messages.add, { name: "later" });
});
"""
    dep = await deploy({**CHAT, "later.ts": source})
    async with sync_socket(dep.url) as client:
        await client.add(1, "messages:count", {"name": "later"})
        await client.value(1, 0)
        await client.mutate(0, "later:later")
        await client.value(1, 1)


async def test_a_page_keeps_its_end_across_sessions(deploy):
    dep = await deploy(CHAT)
    options = {"paginationOpts": {"numItems": 2, "cursor": None}}
    async with sync_socket(dep.url) as client:
        for i in range(3):
            await client.mutate(i, "messages:send", {"author": "a", "body": str(i)})
            await client.response(i)
        await client.add(1, "messages:page", options)
        shown = await client.until(lambda m: m["type"] == "Transition" and m["modifications"])
        journal = shown["modifications"][0]["journal"]
        assert isinstance(journal, str)
        second = shown["modifications"][0]["value"]["page"][1]["_id"]
    source = """
import { mutation } from "./_generated/server";
export const drop = mutation(async (ctx, { id }) => await ctx.db.delete(id));
"""
    await deploy({**CHAT, "drop.ts": source}, onto=dep)
    async with sync_socket(dep.url) as client:
        await client.mutate(0, "drop:drop", {"id": second})
        await client.response(0)
        await client.add(1, "messages:page", options, journal=journal)
        await client.until(lambda m: m["type"] == "Transition" and m["modifications"])
        assert [m["body"] for m in client.queries[1]["page"]] == ["0"], "the page has taken in a row behind its end"
        await client.add(2, "messages:page", options, journal="{nonsense")
        await client.until(lambda m: m["type"] == "Transition" and m["modifications"])
        assert [m["body"] for m in client.queries[2]["page"]] == ["0", "2"]


async def test_a_mutation_asked_for_again_runs_once(deploy):
    dep = await deploy(CHAT)
    results = []
    for _ in range(3):
        async with sync_socket(dep.url, connect=False) as client:
            await client.connect("7d0b6f0e-0000-4000-8000-000000000000")
            await client.mutate(5, "messages:add", {"name": "once"})
            results.append((await client.response(5))["result"])
    assert results == [1, 1, 1]


async def test_chaos_never_breaks_the_chain_of_versions(deploy):
    dep = await deploy(CHAT)
    dice = random.Random(7)

    async def chaos(client: SyncSocket) -> None:
        alive: set[int] = set()
        identity = 0
        for step in range(150):
            what = dice.random()
            if what < 0.35:
                await client.add(step, "messages:count", {"name": dice.choice("abc")})
                alive.add(step)
            elif what < 0.6 and alive:
                await client.remove(alive.pop())
            elif what < 0.9:
                await client.mutate(step, "messages:add", {"name": dice.choice("abc")})
            else:
                key = dep.admin_key
                await client.send(type="Authenticate", tokenType="Admin", value=key, baseVersion=identity)
                identity += 1
            if dice.random() < 0.2:
                await asyncio.sleep(0)
        await client.mutate(1000, "messages:add", {"name": "z"})
        await client.response(1000)
        await client.add(2000, "messages:count", {"name": "z"})
        while set(client.queries) != alive | {2000}:
            await client.receive()

    async with sync_socket(dep.url) as one, sync_socket(dep.url) as two:
        await asyncio.gather(chaos(one), chaos(two))
        final = {name: 0 for name in "abc"}
        for name in final:
            await one.add(3000 + ord(name), "messages:count", {"name": name})
        while not {3000 + ord(name) for name in final} <= set(one.queries):
            await one.receive()


HOSTILE = [
    ("no connect", [{"type": "Mutation", "requestId": 0, "udfPath": "a:b", "args": [{}]}]),
    ("unknown type", ["connect", {"type": "Whatever"}]),
    ("twice", ["connect", "connect"]),
    ("wrong base", ["connect", {"type": "ModifyQuerySet", "baseVersion": 3, "newVersion": 4, "modifications": []}]),
    ("negative", ["connect", {"type": "ModifyQuerySet", "baseVersion": -1, "newVersion": 0, "modifications": []}]),
    (
        "unknown remove",
        [
            "connect",
            {
                "type": "ModifyQuerySet",
                "baseVersion": 0,
                "newVersion": 1,
                "modifications": [{"type": "Remove", "queryId": 9}],
            },
        ],
    ),
    ("identity jump", ["connect", {"type": "Authenticate", "tokenType": "None", "baseVersion": 5}]),
    ("no object", ["connect", []]),
    ("future", [{"type": "Connect", "sessionId": "s", "maxObservedTimestamp": "//////////8="}]),
    ("bad ts", [{"type": "Connect", "sessionId": "s", "maxObservedTimestamp": "zzz"}]),
    ("bad types", ["connect", {"type": "Mutation", "requestId": "x", "udfPath": 3, "args": {}}]),
]


@pytest.mark.parametrize(("name", "messages"), HOSTILE, ids=[name for name, _ in HOSTILE])
async def test_a_client_that_breaks_the_protocol_is_hung_up_on(deploy, name, messages):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url, connect=False) as client:
        for message in messages:
            await (client.connect() if message == "connect" else client.socket.send_json(message))
        with pytest.raises(ConnectionError, match="1008"):
            await client.receive()
    async with sync_socket(dep.url) as client:
        await client.add(1, "messages:list")
        await client.value(1, [])


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '"\\ud800"', "null", "1e999"])
async def test_text_that_is_no_message_is_hung_up_on(deploy, text):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        await client.socket.send_str(text)
        with pytest.raises(ConnectionError, match="1008"):
            await client.receive()


async def test_binary_frames_are_hung_up_on(deploy):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        await client.socket.send_bytes(b"x")
        with pytest.raises(ConnectionError, match="1008"):
            await client.receive()


@pytest.mark.parametrize("args", [5, "x", [1], None])
async def test_arguments_that_are_no_object_fail_the_call_only(deploy, args):
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        await client.send(type="Mutation", requestId=0, udfPath="messages:add", args=[args])
        assert (await client.response(0))["success"] is False


async def test_silence_is_broken_by_pings(deploy, monkeypatch):
    monkeypatch.setattr("convex_embedded.wire.outbox.PING_SECONDS", 0.05)
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await client.receive()
        assert client.pings >= 2


async def test_a_client_that_does_not_read_is_hung_up_on(deploy, monkeypatch):
    monkeypatch.setattr("convex_embedded.wire.outbox.MAX_BYTES", 5_000_000)
    dep = await deploy(CHAT)
    async with sync_socket(dep.url) as client:
        client.stop_reading()
        big = "x" * 4_000_000
        for i in range(5):
            await client.send(type="Action", requestId=i, udfPath="messages:echo", args=[{"value": big}])
        await wait_for(lambda: not dep._deployment._listeners)
