"""Components: folders of the project and packages, each a definition of its own, evaluated like a deployment would."""

from __future__ import annotations

import pytest

from convex_evals.errors import DeployFailed
from convex_evals.toolchain import BundledComponent, Toolchain
from tests.toolchain.conftest import Prepared
from tests.toolchain.registry import Registry
from tests.toolchain.test_bundle import run

APP_CONFIG = """\
import { defineApp } from "convex/server";
import counter from "./components/counter/convex.config";
const app = defineApp();
app.use(counter);
app.use(counter, { name: "second" });
export default app;
"""
COUNTER_CONFIG = """\
import { defineComponent } from "convex/server";
import inner from "../inner/convex.config.js";
const component = defineComponent("counter");
component.use(inner);
export default component;
"""
COUNTER = """\
import { mutation, query } from "./_generated/server";
import { v } from "convex/values";
export const add = mutation({
  args: { by: v.number(), to: v.optional(v.id("counts")) },
  returns: v.id("counts"),
  handler: async (ctx, { by }) => await ctx.db.insert("counts", { by }),
});
export const total = query({ args: {}, returns: v.number(), handler: async () => 1 });
"""
COUNTS = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ counts: defineTable({ by: v.number() }) });
"""
INNER_CONFIG = 'import { defineComponent } from "convex/server";\nexport default defineComponent("inner");\n'
USES_COUNTER = """\
import { mutation } from "./_generated/server";
import { components } from "./_generated/api";
export const bump = mutation({
  args: {},
  handler: async (ctx) => {
    const id: string = await ctx.runMutation(components.counter.counting.add, { by: 1 });
    await ctx.runMutation(components.second.counting.add, { by: 2, to: id });
    return await ctx.runQuery(components.counter.counting.total, {});
  },
});
"""
LOCAL = {
    "convex/convex.config.ts": APP_CONFIG,
    "convex/bump.ts": USES_COUNTER,
    "convex/components/counter/convex.config.ts": COUNTER_CONFIG,
    "convex/components/counter/counting.ts": COUNTER,
    "convex/components/counter/schema.ts": COUNTS,
    "convex/components/inner/convex.config.ts": INNER_CONFIG,
    "convex/components/inner/one.ts": "export const one = 1;\n",
}


def paths(component: BundledComponent) -> list[str]:
    return [module.path for module in component.modules]


async def test_each_definition_is_bundled_once_with_its_own_modules(tools: Toolchain, prepared: Prepared) -> None:
    bundle = await tools.bundle(await prepared(LOCAL))
    assert paths(bundle.app) == ["bump.js", "convex.config.js"]
    assert [component.definition_path for component in bundle.components] == ["components/counter", "components/inner"]
    counter, inner = bundle.components
    assert paths(counter) == ["convex.config.js", "counting.js", "schema.js"]
    assert paths(inner) == ["convex.config.js", "one.js"]
    assert list(bundle.app.children.values()) == ["components/counter"]
    assert list(counter.children.values()) == ["components/inner"]
    assert inner.children == {}


async def test_a_definition_requires_its_children_by_the_names_it_says(tools: Toolchain, prepared: Prepared) -> None:
    bundle = await tools.bundle(await prepared(LOCAL))
    config = next(module for module in bundle.app.modules if module.path == "convex.config.js")
    [required] = bundle.app.children
    assert f'require("{required}")' in config.source
    assert "defineComponent" not in config.source, "the child's definition is not bundled into its parent"


async def test_a_component_is_typed_for_its_parent(tools: Toolchain, prepared: Prepared) -> None:
    assert await tools.typecheck(await prepared(LOCAL)) == ()
    wrong = USES_COUNTER.replace("{ by: 1 }", '{ by: "1" }').replace("second.counting.add", "second.counting.gone")
    found = await tools.typecheck(await prepared({**LOCAL, "convex/bump.ts": wrong}))
    assert [(finding.line, finding.code) for finding in found] == [(6, "TS2322"), (7, "TS2339")]


async def test_a_component_may_not_use_node(tools: Toolchain, prepared: Prepared) -> None:
    files = {**LOCAL, "convex/components/inner/one.ts": '"use node";\nexport const one = 1;\n'}
    with pytest.raises(DeployFailed, match="not supported in components"):
        await tools.bundle(await prepared(files))


async def test_variables_that_the_app_declares_are_typed(tools: Toolchain, prepared: Prepared) -> None:
    files = {
        "convex/convex.config.ts": 'import { defineApp } from "convex/server";\nimport { v } from "convex/values";\n'
        "export default defineApp({ env: { KEY: v.string(), MODE: v.optional(v.string()) } });\n",
        "convex/a.ts": 'import { env } from "./_generated/server";\nexport const key: string = env.KEY;\n'
        "export const site: string = env.CONVEX_SITE_URL;\nexport const mode: string = env.MODE;\n"
        "export const no = env.NO;\n",
    }
    found = await tools.typecheck(await prepared(files))
    assert [(finding.line, finding.code) for finding in found] == [(4, "TS2322"), (5, "TS2339")]


async def test_a_component_from_a_package(tools: Toolchain, prepared: Prepared, packages: Registry) -> None:
    config = 'import { defineComponent } from "convex/server";\nexport default defineComponent("tally");\n'
    packages.add("convex", tools.versions["convex"], **_convex_stand_in())
    packages.add(
        "@example/tally",
        "1.2.3",
        {
            "dist/component/convex.config.js": config,
            "dist/component/convex.config.d.ts": "declare const definition: any;\nexport default definition;\n",
            "dist/component/lib.js": 'import { queryGeneric } from "convex/server";\n'
            "export const total = queryGeneric({ args: {}, handler: async () => 7 });\n",
            "dist/component/_generated/component.d.ts": "export type ComponentApi<Name> = { lib: { total: Name } };\n",
            "dist/component/_generated/component.js": "export {};\n",
            "dist/client/index.js": "export const client = 1;\n",
        },
        type="module",
        exports={
            ".": "./dist/client/index.js",
            "./convex.config": "./dist/component/convex.config.js",
            "./convex.config.js": "./dist/component/convex.config.js",
            "./_generated/component.js": "./dist/component/_generated/component.js",
        },
    )
    project = await prepared(
        {
            "package.json": '{"dependencies": {"convex": "^1.0.0", "@example/tally": "^1.0.0"}}',
            "convex/convex.config.ts": 'import { defineApp } from "convex/server";\n'
            'import tally from "@example/tally/convex.config";\n'
            "const app = defineApp();\napp.use(tally);\nexport default app;\n",
            "convex/a.ts": 'import { client } from "@example/tally";\nexport const x = client;\n',
        }
    )
    bundle = await tools.bundle(project)
    [component] = bundle.components
    assert bundle.provided
    assert component.definition_path == "@example/tally"
    assert paths(component) == ["convex.config.js", "lib.js"]
    assert list(bundle.app.children.values()) == ["@example/tally"]
    lib = component.modules[1]
    assert lib.original == "node_modules/@example/tally/dist/component/lib.js"
    assert run(tools, lib, "exported.total._handler()") == 7
    api = (project.path / "convex/_generated/api.d.ts").read_text()
    assert '"tally": import("@example/tally/_generated/component.js").ComponentApi<"tally">' in api


def _convex_stand_in() -> dict[str, object]:
    """The pinned convex is recognised by name and version and then provided, so its content does not matter here."""
    return {"type": "module", "exports": {}}
