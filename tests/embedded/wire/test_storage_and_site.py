"""File storage through functions, upload URLs and download URLs; and HTTP actions on the site port."""

from __future__ import annotations

import base64
import hashlib
import io

import pytest
from calls import admin, error, request, value
from samples import CHAT

from convex_embedded.types import Limits

FILES = """
import { action, mutation, query } from "./_generated/server";
import { anyApi } from "convex/server";
export const uploadUrl = mutation(async (ctx) => await ctx.storage.generateUploadUrl());
export const url = query(async (ctx, { id }) => await ctx.storage.getUrl(id));
export const info = query(async (ctx, { id }) => await ctx.db.system.get(id));
export const old = query(async (ctx, { id }) => await ctx.storage.getMetadata(id));
export const drop = mutation(async (ctx, { id }) => await ctx.storage.delete(id));
export const dropThenFail = mutation(async (ctx, { id }) => { await ctx.storage.delete(id); throw new Error("no"); });
export const write = action(async (ctx, { text, type }) => {
  const id = await ctx.storage.store(new Blob([text], { type }));
  return { id, url: await ctx.storage.getUrl(id) };
});
export const read = action(async (ctx, { id }) => {
  const blob = await ctx.storage.get(id);
  return blob === null ? null : { text: await blob.text(), type: blob.type, size: blob.size };
});
export const dropNested = mutation(async (ctx, { id }) => {
  await ctx.runMutation(anyApi.files.dropThenFail, { id }).catch(() => null);
});
export const dropInAction = action(async (ctx, { id }) => await ctx.storage.delete(id));
"""


async def upload(dep, content, headers=None):
    url = await value(dep, "mutation", "files:uploadUrl")
    status, _, answer = await request("POST", url, data=io.BytesIO(content), headers=headers)
    assert status == 200, answer
    return answer["storageId"]


async def test_upload_metadata_download_delete(deploy):
    dep = await deploy({"files.ts": FILES})
    content = bytes(range(256)) * 8000
    digest = hashlib.sha256(content).digest()
    claimed = {"Digest": "sha-256=" + base64.b64encode(digest).decode(), "Content-Type": "image/png"}
    storage_id = await upload(dep, content, claimed)
    info = await value(dep, "query", "files:info", {"id": storage_id})
    assert (info["contentType"], info["size"], info["sha256"]) == ("image/png", len(content), digest.hex())
    assert info["_id"] == storage_id
    old = await value(dep, "query", "files:old", {"id": storage_id})
    assert (old["storageId"], old["sha256"]) == (storage_id, digest.hex())
    url = await value(dep, "query", "files:url", {"id": storage_id})
    assert url.startswith(dep.url + "/api/storage/")
    assert storage_id not in url
    status, headers, body = await request("GET", url)
    assert (status, body, headers["Content-Type"]) == (200, content, "image/png")
    assert headers["Digest"] == claimed["Digest"]
    await value(dep, "mutation", "files:drop", {"id": storage_id})
    assert await value(dep, "query", "files:url", {"id": storage_id}) is None
    assert await value(dep, "query", "files:info", {"id": storage_id}) is None
    assert (await request("GET", url))[0] == 404
    await error(dep, "mutation", "files:drop", {"id": storage_id})


RANGES = [
    ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
    ("bytes=5-", 206, b"56789", "bytes 5-9/10"),
    ("bytes=-2", 206, b"89", "bytes 8-9/10"),
    ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
    ("bytes=10-", 416, b"", "bytes */10"),
    ("bytes=3-1", 416, b"", "bytes */10"),
    ("bytes=-", 416, b"", "bytes */10"),
    ("pages=1", 416, b"", "bytes */10"),
]


async def test_parts_of_a_file(deploy):
    dep = await deploy({"files.ts": FILES})
    url = await value(dep, "query", "files:url", {"id": await upload(dep, b"0123456789")})
    for wanted, status, body, span in RANGES:
        found = await request("GET", url, headers={"Range": wanted})
        assert (found[0], found[2], found[1]["Content-Range"]) == (status, body, span), wanted


async def test_actions_store_and_read(deploy):
    dep = await deploy({"files.ts": FILES})
    made = await value(dep, "action", "files:write", {"text": "grüße", "type": "text/plain"})
    assert (await request("GET", made["url"]))[2].decode() == "grüße"
    read = await value(dep, "action", "files:read", {"id": made["id"]})
    assert read == {"text": "grüße", "type": "text/plain", "size": 7}
    await error(dep, "mutation", "files:dropThenFail", {"id": made["id"]})
    await value(dep, "mutation", "files:dropNested", {"id": made["id"]})
    assert await value(dep, "action", "files:read", {"id": made["id"]}) == read
    await value(dep, "action", "files:dropInAction", {"id": made["id"]})
    assert await value(dep, "action", "files:read", {"id": made["id"]}) is None
    assert "not an ID of the table '_storage'" in await error(dep, "query", "files:url", {"id": "nonsense"})


async def test_uploads_that_are_refused(deploy):
    dep = await deploy({"files.ts": FILES}, limits=Limits(storage_mib=1))
    path = dep.url + "/api/storage/upload"
    assert (await request("POST", path, data=b"x"))[0] == 401
    assert (await request("POST", path + "?token=guessed", data=b"x"))[0] == 401
    url = await value(dep, "mutation", "files:uploadUrl")
    status, _, answer = await request("POST", url, data=b"x", headers={"Digest": "sha-256=AAAA"})
    assert (status, answer["code"]) == (400, "DigestMismatch")
    status, _, answer = await request("POST", url, data=io.BytesIO(bytes(1_100_000)))
    assert (status, answer["code"]) == (413, "FileTooLarge")
    await upload(dep, bytes(600_000))
    status, _, answer = await request("POST", url, data=bytes(600_000))
    assert (status, answer["code"]) == (413, "StorageFull")
    assert "storage is full" in await error(dep, "action", "files:write", {"text": "x" * 600_000, "type": "a/b"})
    dep.advance(3601)
    assert (await request("POST", url, data=b"x"))[0] == 401


SITE = """
import { httpRouter } from "convex/server";
import { httpAction } from "./_generated/server";
import { api } from "./_generated/api";
import { ConvexError } from "convex/values";
const http = httpRouter();
http.route({ path: "/echo", method: "POST", handler: httpAction(async (ctx, request) => {
  const url = new URL(request.url);
  return new Response(JSON.stringify({
    body: await request.text(), q: url.searchParams.get("q"), path: url.pathname, host: url.host,
    header: request.headers.get("x-mine"), auth: request.headers.get("authorization"),
    user: (await ctx.auth.getUserIdentity())?.subject ?? null,
  }), { status: 201, headers: { "content-type": "application/json", "x-yours": "1" } });
}) });
http.route({ pathPrefix: "/files/", method: "GET", handler: httpAction(async () => new Response("prefix")) });
const headers = [["set-cookie", "a=1"], ["set-cookie", "b=2"]];
http.route({ path: "/bytes", method: "GET", handler: httpAction(
  async () => new Response(new Uint8Array([0, 255, 7]), { headers })) });
http.route({ path: "/gone", method: "DELETE", handler: httpAction(async () => new Response(null, { status: 204 })) });
http.route({ path: "/send", method: "POST", handler: httpAction(async (ctx, request) => {
  await ctx.runMutation(api.messages.send, await request.json());
  return Response.json(await ctx.runQuery(api.messages.list, {}));
}) });
http.route({ path: "/fail", method: "GET", handler: httpAction(async () => { throw new Error("boom"); }) });
http.route({ path: "/fail2", method: "GET", handler: httpAction(async () => { throw new ConvexError({ a: 1 }); }) });
export default http;
"""


async def test_http_actions(deploy):
    dep = await deploy({**CHAT, "http.ts": SITE})
    headers = {"x-mine": "m", "Authorization": "Bearer own-token"}
    status, answered, body = await request("POST", dep.site_url + "/echo?q=%C3%BC", data="hi", headers=headers)
    assert (status, answered["x-yours"]) == (201, "1")
    wanted = {"body": "hi", "q": "ü", "path": "/echo", "header": "m", "auth": "Bearer own-token", "user": None}
    assert {k: body[k] for k in wanted} == wanted
    assert body["host"] == dep.site_url.removeprefix("http://")
    body = (await request("POST", dep.site_url + "/echo", headers=admin(dep, {"subject": "s", "issuer": "i"})))[2]
    assert body["user"] == "s"
    assert (await request("GET", dep.site_url + "/files/a/b"))[2] == b"prefix"
    status, answered, body = await request("GET", dep.site_url + "/bytes")
    assert (body, answered.getall("set-cookie")) == (bytes([0, 255, 7]), ["a=1", "b=2"])
    assert (await request("DELETE", dep.site_url + "/gone"))[0] == 204
    sent = await request("POST", dep.site_url + "/send", json={"author": "a", "body": "b"})
    assert sent[2] == ["a: b"]
    assert (await request("GET", dep.site_url + "/echo"))[0] == 404
    assert (await request("GET", dep.site_url + "/none"))[0] == 404
    status, _, body = await request("GET", dep.site_url + "/fail")
    assert (status, body["trace"].split("\n")[0]) == (500, "Uncaught Error: boom")
    assert body["code"].startswith("[Request ID: ")
    assert "data" not in body
    assert (await request("GET", dep.site_url + "/fail2"))[2]["data"] == {"a": 1}


async def test_a_site_without_routes(deploy):
    dep = await deploy(CHAT)
    status, _, body = await request("GET", dep.site_url + "/")
    assert status == 404
    assert b"does not have HTTP actions enabled" in body


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "HEAD"])
async def test_every_method_reaches_the_site(deploy, method):
    route = method if method != "HEAD" else "GET"
    source = f"""
import {{ httpRouter }} from "convex/server";
import {{ httpAction }} from "./_generated/server";
const http = httpRouter();
http.route({{ path: "/m", method: "{route}", handler: httpAction(async (ctx, r) => new Response(null, {{
  status: 200, headers: {{ "x-method": r.method }} }})) }});
export default http;
"""
    dep = await deploy({"http.ts": source})
    status, headers, _ = await request(method, dep.site_url + "/m")
    assert (status, headers["x-method"]) == (200, method)
