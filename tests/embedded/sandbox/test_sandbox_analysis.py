"""What a push declares, and what a deploy refuses."""

from __future__ import annotations

import pytest
from boxes import SERVER, Box

from convex_embedded.sandbox import ChildComponent, CronSpec, EnvBinding, EnvDeclaration, HttpRoute
from convex_embedded.types import DeployError


async def test_functions_come_in_source_order(box: Box) -> None:
    analysis = await box.load(
        {
            "m.ts": SERVER
            + """export const zebra = query({ args: { a: v.id("t"), b: v.optional(v.int64()) }, returns: v.null(),
  handler: async () => null });
export const apple = internalMutation(async () => 1);
export const mango = action({ args: {}, handler: async () => 1 });
export const helper = () => 1;
export const number = 5;
export default mutation({ args: {}, handler: async () => 1 });
""",
            "a/b.ts": SERVER + "export const deep = query({ handler: async () => 1 });",
        }
    )
    found = [(f.module, f.name, f.kind, f.visibility, f.line) for f in analysis.app.functions if f.name != "default"]
    assert found == [
        ("a/b.js", "deep", "query", "public", 2),
        ("m.js", "zebra", "query", "public", 2),
        ("m.js", "apple", "mutation", "internal", 4),
        ("m.js", "mango", "action", "public", 5),
    ]
    zebra = next(f for f in analysis.app.functions if f.name == "zebra")
    assert zebra.args["value"]["a"]["fieldType"] == {"type": "id", "tableName": "t"}
    assert zebra.returns == {"type": "null"}
    apple = next(f for f in analysis.app.functions if f.name == "apple")
    assert (apple.args, apple.returns) == ({"type": "any"}, {"type": "any"})
    assert [f.kind for f in analysis.app.functions if f.name == "default"] == ["mutation"]


async def test_schema_crons_and_routes(box: Box) -> None:
    analysis = await box.load(
        {
            "schema.ts": SERVER
            + 'export default defineSchema({ t: defineTable({ a: v.string() }).index("by_a", ["a"]) });',
            "crons.ts": SERVER
            + """const crons = cronJobs();
crons.interval("often", { seconds: 30 }, makeFunctionReference("m:f") as any, { x: 1 });
crons.daily("daily", { hourUTC: 3, minuteUTC: 5 }, makeFunctionReference("dir/m:f") as any);
export default crons;""",
            "http.ts": SERVER
            + """const http = httpRouter(); const handler = httpAction(async () => new Response());
http.route({ path: "/a", method: "POST", handler }); http.route({ path: "/a", method: "GET", handler });
http.route({ pathPrefix: "/p/", method: "GET", handler }); export const named = handler; export default http;""",
        }
    )
    app = analysis.app
    assert app.schema is not None
    assert [table["tableName"] for table in app.schema["tables"]] == ["t"]
    assert app.schema["tables"][0]["indexes"][0]["indexDescriptor"] == "by_a"
    assert app.crons == (
        CronSpec("often", "m:f", [{"x": 1}], {"type": "interval", "seconds": 30}),
        CronSpec("daily", "dir/m:f", [{}], {"type": "daily", "hourUTC": 3, "minuteUTC": 5}),
    )
    assert app.has_http
    assert app.http_routes == (HttpRoute("/a", "GET"), HttpRoute("/a", "POST"), HttpRoute("/p/*", "GET"))
    assert app.functions == ()


async def test_an_empty_push(box: Box) -> None:
    app = (await box.load({"m.ts": "export const x = 1;"})).app
    assert (app.schema, app.functions, app.has_http, app.crons, app.definition.children) == (None, (), False, (), ())


COUNTER = {
    "convex.config.ts": SERVER + 'export default defineComponent("counter", { env: { KEY: v.optional(v.string()) } });',
    "schema.ts": SERVER + "export default defineSchema({ counts: defineTable({ n: v.number() }) });",
    "lib.ts": SERVER + "export const add = mutation({ args: {}, handler: async () => 1 });",
}


async def test_components(box: Box) -> None:
    analysis = await box.load(
        {
            "convex.config.ts": SERVER
            + """import counter from "./counter/convex.config";
const app = defineApp({ env: { SECRET: v.string() } });
app.use(counter); app.use(counter, { name: "second", httpPrefix: "/c", env: { KEY: app.env.SECRET } });
export default app;""",
            "m.ts": SERVER
            + """const components: any = componentsGeneric();
export const f = mutation({ args: {}, handler: (ctx) => ctx.runMutation(components.counter.lib.add, {}) });""",
        },
        components={"counter": COUNTER},
    )
    app, counter = analysis.app, analysis.definitions["counter"]
    assert app.definition.children == (
        ChildComponent("counter", "counter"),
        ChildComponent("second", "counter", {"KEY": EnvBinding(variable="SECRET")}, "/c/"),
    )
    assert app.definition.env == {"SECRET": EnvDeclaration({"type": "string"})}
    assert app.definition.declares_env
    assert counter.definition.name == "counter"
    assert counter.definition.env == {"KEY": EnvDeclaration({"type": "string"}, optional=True)}
    assert [(f.module, f.name) for f in counter.functions] == [("lib.js", "add")]
    assert counter.schema is not None


async def test_environment_variables_are_there_at_import(box: Box) -> None:
    source = SERVER + 'if (process.env.A !== "b") throw new Error("no A"); export const x = 1;'
    await box.load({"m.ts": source}, env={"A": "b"})
    with pytest.raises(DeployError, match="no A"):
        await box.load({"m.ts": source})


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_only_actions_in_node(box: Box, kind: str) -> None:
    source = f'"use node";\n{SERVER}export const bad = {kind}({{ args: {{}}, handler: async () => 1 }});'
    with pytest.raises(DeployError) as caught:
        await box.load({"n.ts": source})
    assert str(caught.value) == (
        f"`bad` defined in `n.js` is a {kind.capitalize()} function. Only actions can be defined in Node.js. "
        "See https://docs.convex.dev/functions/actions for more details."
    )


@pytest.mark.parametrize(
    ("file", "source", "text"),
    [
        pytest.param("http.ts", "export const x = 1;", "must have a default export of a Router", id="no router"),
        pytest.param("http.ts", "export default {};", "is not a Router", id="not a router"),
        pytest.param(
            "http.ts",
            "const h = httpRouter(); h.route({ path: 'a', method: 'GET', handler: {} as any }); export default h;",
            "Failed to analyze http.js: Uncaught Error: path 'a' does not start with a /\n    at ",
            id="bad route",
        ),
        pytest.param("schema.ts", "export const x = 1;", "convex/schema.ts has no default export", id="no schema"),
        pytest.param("schema.ts", "export default {};", "convex/schema.ts must be a schema", id="not a schema"),
        pytest.param("crons.ts", "export default {};", "convex/crons.ts must be cron jobs", id="not crons"),
        pytest.param("convex.config.ts", "export default {};", "must be what `defineApp()` returned", id="no app"),
        pytest.param(
            "m.ts",
            "export const f = query({ args: { a: undefined as any } as any, handler: () => 1 });",
            "Failed to analyze m.js: Uncaught",
            id="undefined validator",
        ),
        pytest.param(
            "m.ts",
            "\nthrow new Error('top');",
            "Uncaught Error: top\n    at <anonymous> (../convex/m.ts:3:7)",
            id="top level",
        ),
        pytest.param("m.ts", "setTimeout(() => {}, 1);", "Can't use setTimeout at import time", id="timer"),
        pytest.param("m.ts", "fetch('http://x.test');", "Can't use fetch() at import time", id="fetch"),
    ],
)
async def test_what_a_deploy_refuses(box: Box, file: str, source: str, text: str) -> None:
    with pytest.raises(DeployError) as caught:
        await box.load({file: SERVER + source})
    assert text in str(caught.value)


async def test_an_import_that_no_bundle_holds(box: Box) -> None:
    source = 'const load: any = require; export const x = load("left-pad");'
    with pytest.raises(DeployError, match="Cannot find module 'left-pad'"):
        await box.load({"m.ts": source})
