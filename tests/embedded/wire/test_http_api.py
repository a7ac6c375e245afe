"""Calls over HTTP: what clients send, what they are told, what is refused."""

from __future__ import annotations

import aiohttp

MESSAGES = """
import { query, mutation } from "./_generated/server";
import { v } from "convex/values";
export const send = mutation({ args: { body: v.string() }, handler: async (ctx, { body }) => await ctx.db.insert("messages", { body }) });
export const list = query({ args: {}, handler: async (ctx) => (await ctx.db.query("messages").collect()).map((m) => m.body) });
"""


async def post(url, path, body, headers=None):
    async with aiohttp.ClientSession() as http, http.post(url + path, json=body, headers=headers) as response:
        return response.status, await response.json()


async def test_a_mutation_and_a_query(deploy):
    dep = await deploy({"messages.ts": MESSAGES})
    status, answer = await post(
        dep.url, "/api/mutation", {"path": "messages:send", "args": {"body": "hi"}, "format": "json"}
    )
    assert (status, answer["status"]) == (200, "success"), answer
    status, answer = await post(dep.url, "/api/query", {"path": "messages:list", "args": {}, "format": "json"})
    assert answer == {"status": "success", "value": ["hi"]}
