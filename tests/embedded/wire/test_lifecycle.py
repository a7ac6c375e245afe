"""Nothing outlives a deployment: no task, no port, no process; and one deployment knows nothing of another."""

from __future__ import annotations

import asyncio
import socket

import psutil
from calls import error, request, value
from samples import CHAT
from sync_socket import sync_socket, wait_for


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def children():
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def test_closing_ends_everything(deploy):
    before_tasks, before_children = asyncio.all_tasks(), children()
    source = """
import { action } from "./_generated/server";
export const wait = action(async () => { await new Promise((r) => setTimeout(r, 60_000)); });
"""
    dep = await deploy({**CHAT, "waits.ts": source})
    async with sync_socket(dep.url) as client:
        await client.add(1, "messages:list")
        await client.value(1, [])
        await client.send(type="Action", requestId=1, udfPath="waits:wait", args=[{}])
        hanging = asyncio.ensure_future(error(dep, "action", "waits:wait"))
        await value(dep, "query", "messages:list")
        assert len(children()) > len(before_children)
        await asyncio.wait_for(dep.close(), 10)
        await dep.close()
        (outcome,) = await asyncio.gather(hanging, return_exceptions=True)
        assert isinstance(outcome, Exception | str)
    assert is_free(dep.port)
    assert is_free(dep.site_port)
    await wait_for(lambda: children() <= before_children)
    await wait_for(lambda: asyncio.all_tasks() <= before_tasks)


async def test_deployments_know_nothing_of_each_other(deploy):
    one, two = await deploy(CHAT), await deploy(CHAT)
    await value(one, "mutation", "messages:send", {"author": "a", "body": "b"})
    assert await value(two, "query", "messages:list") == []
    assert one.admin_key != two.admin_key
    headers = {"Authorization": f"Convex {one.admin_key}"}
    status, _, _ = await request("POST", two.url + "/api/query", json={"path": "x:y", "args": {}}, headers=headers)
    assert status == 401


async def test_a_deployment_with_a_given_key_and_port(server):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    dep = await server.deployment(admin_key="constant|key", port=port)
    assert (dep.port, dep.url, dep.admin_key) == (port, f"http://127.0.0.1:{port}", "constant|key")
    assert await value(dep, "query", "_system/cli/modules:apiSpec") == []


async def test_a_killed_process_costs_only_its_calls(deploy):
    dep = await deploy(CHAT)
    await value(dep, "mutation", "messages:add", {"name": "n"})
    for pid in children():
        process = psutil.Process(pid)
        if "deno" in process.name():
            process.kill()
    assert await value(dep, "mutation", "messages:add", {"name": "n"}) == 2
