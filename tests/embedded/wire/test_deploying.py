"""Pushes: what is refused, what stays; the function spec, the schema and the system functions that graders call."""

from __future__ import annotations

import pytest
from calls import call, error, request, value
from samples import CHAT

from convex_embedded.types import DeployError

SCHEMA = """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ messages: defineTable({ %s }) });
"""


async def listed(dep, table):
    rows = await value(dep, "query", "_system/frontend/listTableScan", {"table": table, "limit": 100})
    return [row["body"] for row in rows]


async def test_a_push_keeps_data_and_replaces_code(deploy):
    dep = await deploy(CHAT)
    await value(dep, "mutation", "messages:send", {"author": "a", "body": "kept"})
    source = 'import { query } from "./_generated/server"; export const v2 = query(async () => 2);'
    await deploy({"schema.ts": CHAT["schema.ts"], "new.ts": source}, onto=dep)
    assert await value(dep, "query", "new:v2") == 2
    assert "Could not find public function" in await error(dep, "query", "messages:list")
    assert await listed(dep, "messages") == ["kept"]


async def test_a_refused_push_changes_nothing(deploy):
    dep = await deploy(CHAT)
    await value(dep, "mutation", "messages:send", {"author": "a", "body": "kept"})
    other = 'import { query } from "./_generated/server"; export const list = query(async () => "the new code");'
    with pytest.raises(DeployError, match=r"Schema validation failed(.|\n)*extra field `author`"):
        await deploy({"schema.ts": SCHEMA % "body: v.string()", "messages.ts": other}, onto=dep)
    assert await value(dep, "query", "messages:list") == ["a: kept"]
    for broken in ('throw new Error("at import");', "export default {", "while (true);"):
        with pytest.raises((DeployError, AssertionError)):
            await deploy({**CHAT, "broken.ts": broken}, onto=dep)
        assert await value(dep, "query", "messages:list") == ["a: kept"]
    assert '"author"' in (await value(dep, "query", "_system/frontend/getSchemas"))["active"]


async def test_queries_in_node_files_are_refused(deploy):
    source = '"use node"; import { query } from "./_generated/server"; export const q = query(async () => 1);'
    with pytest.raises(DeployError, match=r"`q` defined in `n\.js` is a Query function\. Only actions"):
        await deploy({"n.ts": source})


async def test_validators_that_are_none_are_refused(deploy):
    source = """
import { query } from "./_generated/server";
export const q = query(async () => 1);
const a = { fieldType: { type: "nonsense" }, optional: false };
q.exportArgs = () => JSON.stringify({ type: "object", value: { a } });
"""
    with pytest.raises(DeployError, match=r"invalid `args` validator|nonsense"):
        await deploy({"q.ts": source})


async def test_bad_environment_variables_are_refused(deploy):
    with pytest.raises(DeployError, match="CONVEX_SITE_URL"):
        await deploy(CHAT, env={"CONVEX_SITE_URL": "http://elsewhere"})


async def test_before_the_first_push(server):
    dep = await server.deployment()
    body = {"path": "a:b", "args": {}}
    _, _, answer = await request("POST", dep.url + "/api/query", json=body)
    assert "Could not find public function for 'a:b'." in answer["errorMessage"]
    assert await value(dep, "query", "_system/cli/modules:apiSpec") == []
    assert await value(dep, "query", "_system/frontend/getSchemas") == {}


async def test_the_function_spec_is_in_order_of_modules_and_source(deploy):
    http = """
import { httpRouter } from "convex/server";
import { httpAction, query } from "./_generated/server";
export const zz = query(async () => 1);
const http = httpRouter();
http.route({ path: "/b", method: "POST", handler: httpAction(async () => new Response()) });
http.route({ path: "/a", method: "GET", handler: httpAction(async () => new Response()) });
export default http;
"""
    a = 'import { query } from "./_generated/server";\nexport const z = query(async () => 1);\n'
    a += "export const a = query(async () => 1);\n"
    dep = await deploy({**CHAT, "a.ts": a, "http.ts": http})
    spec = await value(dep, "query", "_system/cli/modules:apiSpec")
    names = [e.get("identifier") or f"{e['method']} {e['path']}" for e in spec]
    assert names[:6] == ["a.js:z", "a.js:a", "http.js:zz", "GET /a", "POST /b", "messages.js:send"]
    send = spec[5]
    assert (send["functionType"], send["visibility"]) == ("Mutation", {"kind": "public"})
    assert send["args"]["value"]["body"] == {"fieldType": {"type": "string"}, "optional": False}
    assert send["returns"] == {"type": "id", "tableName": "messages"}
    by_name = {e.get("identifier"): e for e in spec}
    assert by_name["messages.js:secret"]["visibility"] == {"kind": "internal"}
    assert by_name["messages.js:secret"]["returns"] == {"type": "any"}


async def test_documents_added_listed_and_cleared_by_the_admin(deploy):
    dep = await deploy(CHAT)
    documents = [{"author": "a", "body": str(i)} for i in range(5)]
    added = await value(dep, "mutation", "_system/frontend/addDocument", {"table": "messages", "documents": documents})
    assert added == {"success": True}
    assert await listed(dep, "messages") == ["4", "3", "2", "1", "0"]
    assert await listed(dep, "nothing") == []
    answer = await call(dep, "mutation", "_system/frontend/addDocument", {"table": "messages", "documents": [{"x": 1}]})
    assert "does not match the schema" in answer["errorData"]
    cleared = await value(dep, "mutation", "_system/frontend/clearTablePage", {"tableName": "messages", "cursor": None})
    assert (cleared["deleted"], cleared["hasMore"]) == (5, False)
    assert await listed(dep, "messages") == []
    for path in ("_system/frontend/nothing", "_system/frontend/addDocument:other"):
        assert "Could not find public function" in await error(dep, "mutation", path)
    assert "missing or of the wrong type" in await error(dep, "query", "_system/frontend/listTableScan")


async def test_more_rows_than_a_page_are_cleared_in_steps(deploy):
    dep = await deploy(CHAT)
    documents = [{"author": "a", "body": "x"}] * 5000
    await value(dep, "mutation", "_system/frontend/addDocument", {"table": "messages", "documents": documents})
    pages, cursor = [], None
    while True:
        args = {"tableName": "messages", "cursor": cursor}
        page = await value(dep, "mutation", "_system/frontend/clearTablePage", args)
        pages.append(page["deleted"])
        cursor = page["continueCursor"]
        if not page["hasMore"]:
            break
    assert pages == [4000, 1000]
