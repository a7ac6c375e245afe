"""Components: instances with their own tables, references, handles, environment; what does not cross their boundary."""

from __future__ import annotations

import pytest
from calls import admin, call, error, request, value

from convex_embedded.types import DeployError

COUNTER = {
    "counter/convex.config.ts": """
import { defineComponent } from "convex/server";
import { v } from "convex/values";
export default defineComponent("counter", { env: { STEP: v.string(), EXTRA: v.optional(v.string()) } });
""",
    "counter/schema.ts": """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ counts: defineTable({ n: v.number() }) });
""",
    "counter/public.ts": """
import { internalMutation, mutation, query } from "./_generated/server";
import { internal } from "./_generated/api";
import { v } from "convex/values";
const args = { fail: v.optional(v.boolean()) };
export const add = mutation({ args, returns: v.number(), handler: async (ctx, args) => {
  await ctx.runMutation(internal.public.insert, { n: Number(process.env.STEP) });
  if (args.fail) throw new Error("component says no");
  return (await ctx.db.query("counts").collect()).reduce((sum, c) => sum + c.n, 0);
} });
export const insert = internalMutation(async (ctx, { n }) => { await ctx.db.insert("counts", { n }); });
export const total = query(async (ctx) => (await ctx.db.query("counts").collect()).reduce((sum, c) => sum + c.n, 0));
export const who = query(async (ctx) => (await ctx.auth.getUserIdentity())?.subject ?? null);
export const env = query(async () => [process.env.STEP ?? null, process.env.EXTRA ?? null, process.env.SECRET ?? null]);
export const callBack = mutation(async (ctx, { handle }) => await ctx.runMutation(handle, { by: "component" }));
""",
}
APP = {
    **COUNTER,
    "convex.config.ts": """
import { defineApp } from "convex/server";
import { v } from "convex/values";
import counter from "./counter/convex.config";
const app = defineApp({ env: { SECRET: v.string() } });
app.use(counter, { env: { STEP: "2" } });
app.use(counter, { name: "second", env: { STEP: "5", EXTRA: app.env.SECRET } });
export default app;
""",
    "main.ts": """
import { mutation, query, internalMutation } from "./_generated/server";
import { components, internal } from "./_generated/api";
import { createFunctionHandle } from "convex/server";
export const both = mutation(async (ctx) => [
  await ctx.runMutation(components.counter.public.add, {}), await ctx.runMutation(components.second.public.add, {})]);
export const totals = query(async (ctx) => [
  await ctx.runQuery(components.counter.public.total, {}), await ctx.runQuery(components.second.public.total, {})]);
export const survive = mutation(async (ctx) => {
  await ctx.db.insert("own", {});
  try { await ctx.runMutation(components.counter.public.add, { fail: true }); }
  catch (e) { return [e.message.split("\\n")[0], (await ctx.db.query("own").collect()).length]; }
});
export const who = query(async (ctx) => [
  (await ctx.auth.getUserIdentity())?.subject ?? null, await ctx.runQuery(components.counter.public.who, {})]);
export const envs = query(async (ctx) => [
  await ctx.runQuery(components.counter.public.env, {}), await ctx.runQuery(components.second.public.env, {})]);
export const called = internalMutation(async (ctx, { by }) => {
  await ctx.db.insert("own", { by });
  return "called by " + by;
});
export const handle = mutation(async (ctx) => await ctx.runMutation(components.counter.public.callBack, {
  handle: await createFunctionHandle(internal.main.called) }));
export const internalOfChild = mutation(
  async (ctx) => await ctx.runMutation(components.counter.public.insert, { n: 1 }));
export const later = mutation(async (ctx) => await ctx.scheduler.runAfter(0, components.counter.public.add, {}));
export const ofNobody = mutation(async (ctx) => await ctx.runMutation(components.third.public.add, {}));
""",
}
ENV = {"SECRET": "s3"}


async def test_instances_have_their_own_tables_and_environment(deploy):
    dep = await deploy(APP, env=ENV)
    assert await value(dep, "mutation", "main:both") == [2, 5]
    assert await value(dep, "mutation", "main:both") == [4, 10]
    assert await value(dep, "query", "main:totals") == [4, 10]
    assert await value(dep, "query", "main:envs") == [["2", None, None], ["5", "s3", None]]


async def test_a_failing_component_takes_back_only_its_own(deploy):
    dep = await deploy(APP, env=ENV)
    assert await value(dep, "mutation", "main:survive") == ["Uncaught Error: component says no", 1]
    assert await value(dep, "query", "main:totals") == [0, 0]


async def test_identity_does_not_cross(deploy):
    dep = await deploy(APP, env=ENV)
    headers = admin(dep, {"subject": "me", "issuer": "i"})
    _, _, answer = await request("POST", dep.url + "/api/query", json={"path": "main:who", "args": {}}, headers=headers)
    assert answer["value"] == ["me", None]


async def test_handles_call_back_into_the_app(deploy):
    dep = await deploy(APP, env=ENV)
    assert await value(dep, "mutation", "main:handle") == "called by component"
    assert len(await value(dep, "query", "_system/frontend/listTableScan", {"table": "own", "limit": 10})) == 1


async def test_only_public_functions_of_a_component_are_reachable(deploy):
    dep = await deploy(APP, env=ENV)
    assert "Could not find function for 'public:insert'" in await error(dep, "mutation", "main:internalOfChild")
    assert 'Child component "third" is not installed' in await error(dep, "mutation", "main:ofNobody")
    body = {"path": "public:total", "args": {}, "componentPath": "counter"}
    _, _, answer = await request("POST", dep.url + "/api/query", json=body)
    assert answer["status"] == "error"
    assert await value(dep, "query", "public:total", componentPath="counter") == 0
    assert "Could not find public function" in await error(dep, "query", "public:total", componentPath="nowhere")


async def test_the_app_schedules_into_a_component(deploy):
    dep = await deploy(APP, env=ENV)
    await value(dep, "mutation", "main:later")
    total = 0
    while total != 2:
        total, _ = await value(dep, "query", "main:totals")


async def test_system_functions_of_a_component(deploy):
    dep = await deploy(APP, env=ENV)
    await value(dep, "mutation", "main:both")
    scan = {"table": "counts", "limit": 5, "componentId": "second"}
    assert [d["n"] for d in await value(dep, "query", "_system/frontend/listTableScan", scan)] == [5]
    schema = await value(dep, "query", "_system/frontend/getSchemas", {"componentId": "counter"})
    assert '"counts"' in schema["active"]
    assert (await value(dep, "query", "_system/frontend/getSchemas", {"componentId": None})) == {}
    answer = await call(dep, "query", "_system/frontend/getSchemas", {"componentId": "nowhere"})
    assert "no component" in answer["errorData"]


async def test_a_component_that_lacks_a_variable_fails_the_deploy(deploy):
    config = APP["convex.config.ts"].replace('{ env: { STEP: "2" } }', "{}")
    with pytest.raises(DeployError, match='"counter" needs the environment variable "STEP"'):
        await deploy({**APP, "convex.config.ts": config}, env=ENV)
    with pytest.raises(DeployError, match='declares the environment variable "SECRET"'):
        await deploy(APP)


async def test_routes_of_a_component_are_mounted(deploy):
    http = """
import { httpRouter } from "convex/server";
import { httpAction } from "./_generated/server";
const http = httpRouter();
http.route({ path: "/hello", method: "GET", handler: httpAction(async () => new Response(process.env.STEP)) });
export default http;
"""
    config = APP["convex.config.ts"].replace('{ env: { STEP: "2" } }', '{ env: { STEP: "2" }, httpPrefix: "/c/" }')
    dep = await deploy({**APP, "convex.config.ts": config, "counter/http.ts": http}, env=ENV)
    assert (await request("GET", dep.site_url + "/c/hello"))[2] == b"2"
    assert (await request("GET", dep.site_url + "/hello"))[0] == 404
