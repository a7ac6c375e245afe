"""Calls over HTTP: what clients send, what they are told, what is refused."""

from __future__ import annotations

import io

import pytest
from calls import admin, call, error, request, value
from samples import CHAT


async def post(dep, path, body, headers=None):
    status, _, answer = await request("POST", dep.url + path, json=body, headers=headers)
    return status, answer


async def test_a_call_with_plain_json(deploy):
    dep = await deploy(CHAT)
    body = {"path": "messages:send", "args": {"author": "ann", "body": "hi"}, "format": "json"}
    status, answer = await post(dep, "/api/mutation", body)
    assert (status, answer["status"], answer["logLines"]) == (200, "success", ["[LOG] 'sending' 'hi'"])
    status, answer = await post(dep, "/api/query", {"path": "messages.js:list", "args": {}, "format": "json"})
    assert answer == {"status": "success", "value": ["ann: hi"]}


async def test_special_values_in_both_formats(deploy):
    dep = await deploy(CHAT)
    special = {"big": {"$integer": "BQAAAAAAAAA="}, "bytes": {"$bytes": "AQI="}, "inf": {"$float": "AAAAAAAA8H8="}}
    assert await value(dep, "action", "messages:echo", {"value": special}) == special
    plain = {"path": "messages:echo", "args": {"value": special}, "format": "json"}
    _, answer = await post(dep, "/api/action", plain)
    assert answer["value"] == {"big": "5", "bytes": "AQI=", "inf": "Infinity"}


async def test_paths_may_be_written_in_several_ways(deploy):
    source = 'import { query } from "../_generated/server"; export default query(async () => "d");'
    dep = await deploy({"dir/mod.ts": source})
    for path in ("dir/mod", "dir/mod.js", "dir/mod:default", "dir/mod.js:default"):
        assert await value(dep, "query", path) == "d"
    status, answer = await post(dep, "/api/run/dir/mod/default", {"args": {}, "format": "json"})
    assert (status, answer["value"]) == (200, "d")
    assert await value(dep, "function", "dir/mod") == "d"


async def test_failures_are_answers(deploy):
    dep = await deploy(CHAT)
    text = await error(dep, "mutation", "messages:fail", {"how": "plain"})
    first, second, *_ = text.split("\n")
    assert first.startswith("[Request ID: ")
    assert first.endswith("] Server Error")
    assert second == "Uncaught Error: plain plain"
    answer = await call(dep, "mutation", "messages:fail", {"how": "convex"})
    assert answer["errorData"] == {"code": 7, "big": {"$integer": "AgAAAAAAAAA="}}
    assert "errorData" not in await call(dep, "mutation", "messages:fail", {"how": "plain"})
    assert await value(dep, "query", "messages:list") == [], "a failed mutation has left something"
    text = await error(dep, "mutation", "messages:send", {"author": "ann"})
    assert "\nArgumentValidationError: Object is missing the required field `body`." in text
    for path in ("messages:none", "none:list", "a:b:c"):
        assert "Could not find public function for" in await error(dep, "query", path)
    assert "Invalid function path" in await error(dep, "query", ":")


async def test_internal_functions_are_for_the_admin(deploy):
    dep = await deploy(CHAT)
    _, answer = await post(dep, "/api/query", {"path": "messages:secret", "args": {}})
    assert "Could not find public function for 'messages:secret'." in answer["errorMessage"]
    _, answer = await post(dep, "/api/query", {"path": "_system/cli/modules:apiSpec", "args": {}})
    assert "Could not find public function" in answer["errorMessage"]
    assert await value(dep, "query", "messages:secret") == "internal"


async def test_acting_as_a_user(deploy):
    dep = await deploy(CHAT)
    user = {"subject": "u", "issuer": "https://i", "name": "Ünal", "tokenIdentifier": "given"}
    body = {"path": "messages:whoami", "args": {}}
    _, answer = await post(dep, "/api/query", body, admin(dep, user))
    assert answer["value"] == user
    assert (await post(dep, "/api/query", body, admin(dep)))[1]["value"] is None


BAD_HEADERS = [
    ("Bearer a.b.c", "NoAuthProvider"),
    ("Convex wrong", "BadAdminKey"),
    ("Convex wrong:e30=", "BadAdminKey"),
    ("Convex KEY:!!!", "InvalidIdentity"),
    ("Convex KEY:e30=", "InvalidIdentity"),
    ("Basic x", "InvalidAuthHeader"),
    ("Convex", "BadAdminKey"),
]


@pytest.mark.parametrize(("header", "code"), BAD_HEADERS)
async def test_credentials_that_do_not_count(deploy, header, code):
    dep = await deploy(CHAT)
    headers = {"Authorization": header.replace("KEY", dep.admin_key)}
    status, answer = await post(dep, "/api/query", {"path": "messages:list", "args": {}}, headers)
    assert (status, answer["code"]) == (401, code)


BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b'{"path": 3}',
    b'{"args": {}}',
    b"[" * 200_000,
    b"\xff\xfe",
    b'{"path":"a","format":"xml"}',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=[repr(body[:20]) for body in BAD_BODIES])
async def test_bodies_that_are_no_call(deploy, body):
    dep = await deploy(CHAT)
    for path in ("/api/query", "/api/mutation", "/api/action", "/api/function", "/api/query_at_ts"):
        status, _, answer = await request("POST", dep.url + path, data=body)
        assert status == 400, (path, answer)
        assert set(answer) == {"code", "message"}


async def test_other_mistakes_get_a_code(deploy):
    dep = await deploy(CHAT)
    assert (await request("GET", dep.url + "/nowhere"))[0] == 404
    status, _, answer = await request("GET", dep.url + "/api/query")
    assert (status, answer["code"]) == (405, "MethodNotAllowed")
    status, _, answer = await request("POST", dep.url + "/api/query", data=io.BytesIO(b" " * 19_000_000))
    assert status == 413
    body = {"path": "messages:list", "args": {}, "ts": "AAAAAAAAAAA="}
    assert (await post(dep, "/api/query_at_ts", body))[1]["code"] == "BadTimestamp"
    assert (await request("GET", dep.url + "/api/sync"))[0] == 400
    for args in (3, "x", [1], [{}, {}]):
        _, answer = await post(dep, "/api/query", {"path": "messages:list", "args": args})
        assert "must be an object" in answer["errorMessage"]


async def test_browsers_may_call_from_any_page(deploy):
    dep = await deploy(CHAT)
    asked = {
        "Origin": "http://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,convex-client",
    }
    status, headers, _ = await request("OPTIONS", dep.url + "/api/query", headers=asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, "http://app.example")
    assert headers["Access-Control-Allow-Headers"] == "content-type,convex-client"
    for path in ("/api/query", "/nowhere"):
        _, headers, _ = await request("POST", dep.url + path, data=b"x", headers={"Origin": "http://app.example"})
        assert headers["Access-Control-Allow-Origin"] == "http://app.example"


async def test_harmless_routes(deploy):
    dep = await deploy(CHAT)
    assert (await request("GET", dep.url + "/version"))[0] == 200
    assert (await request("GET", dep.url + "/instance_name"))[2] == b"embedded"


async def test_environment_variables_are_seen_by_the_next_call(deploy):
    source = """
import { query } from "./_generated/server";
export const get = query(async (ctx, { name }) => process.env[name] ?? null);
"""
    dep = await deploy({"env.ts": source}, env={"GIVEN": "1"})
    path = "/api/update_environment_variables"
    assert await value(dep, "query", "env:get", {"name": "GIVEN"}) == "1"
    assert await value(dep, "query", "env:get", {"name": "CONVEX_CLOUD_URL"}) == dep.url
    assert await value(dep, "query", "env:get", {"name": "CONVEX_SITE_URL"}) == dep.site_url
    changes = {"changes": [{"name": "NEW", "value": "x"}, {"name": "GIVEN", "value": None}]}
    assert (await post(dep, path, changes))[0] == 401
    assert (await post(dep, path, changes, admin(dep)))[0] == 200
    assert await value(dep, "query", "env:get", {"name": "NEW"}) == "x"
    assert await value(dep, "query", "env:get", {"name": "GIVEN"}) is None
    for name in ("CONVEX_SITE_URL", "1X", "A" * 41, ""):
        status, answer = await post(dep, path, {"changes": [{"name": name, "value": "y"}]}, admin(dep))
        assert (status, answer["code"]) == (400, "InvalidEnvironmentVariable")
