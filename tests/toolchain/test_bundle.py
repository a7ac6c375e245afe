"""Bundles are judged by what they do in a real Node process, and refusals by what they say."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from convex_evals.errors import DeployFailed
from convex_evals.toolchain import BundledModule, Toolchain
from tests.toolchain.conftest import Prepared

MESSAGES = """\
import { query, mutation } from "./_generated/server";
import { internal } from "./_generated/api";
import { v } from "convex/values";
import { shout } from "./lib/text";

export const zebra = query({ args: {}, handler: async () => shout("hi") });
export const ant = mutation({ args: { to: v.string() }, handler: async () => null });
"""
TEXT = "export const shout = (text: string): string => text.toUpperCase();\n"


def run(tools: Toolchain, module: BundledModule, expression: str) -> object:
    """The value of an expression over the exports of a module, evaluated as a deployment would."""
    script = (
        "const {createRequire} = require('node:module');"
        f"const fromTools = createRequire({json.dumps(str(tools.node_modules / '_'))});"
        "const module_ = {exports: {}};"
        f"new Function('module', 'exports', 'require', {json.dumps(module.source)})"
        "(module_, module_.exports, fromTools); const exported = module_.exports;"
        f"Promise.resolve({expression}).then((value) => console.log(JSON.stringify(value)))"
    )
    done = subprocess.run([tools.node, "-e", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def refusal(tools: Toolchain, prepared: Prepared, files: dict[str, str]) -> str:
    with pytest.raises(DeployFailed) as raised:
        await tools.bundle(await prepared(files))
    return str(raised.value)


async def test_each_entry_point_becomes_a_script_that_a_runtime_can_evaluate(
    tools: Toolchain, prepared: Prepared
) -> None:
    bundle = await tools.bundle(await prepared({"convex/messages.ts": MESSAGES, "convex/lib/text.ts": TEXT}))
    modules = {module.path: module for module in bundle.app.modules}
    assert list(modules) == ["lib/text.js", "messages.js"]
    messages = modules["messages.js"]
    assert messages.original == "convex/messages.ts"
    assert messages.environment == "isolate"
    assert run(tools, messages, "exported.zebra._handler({}, {})") == "HI"
    assert run(tools, messages, "exported.ant.isMutation && exported.ant.isPublic") is True
    assert bundle.provided
    assert "convex/dist" not in messages.source, "convex itself is provided by the runtime, not bundled in"
    assert bundle.size_bytes == sum(len(module.source.encode()) for module in bundle.app.modules)


async def test_positions_follow_the_source_not_the_alphabet(tools: Toolchain, prepared: Prepared) -> None:
    bundle = await tools.bundle(await prepared({"convex/messages.ts": MESSAGES, "convex/lib/text.ts": TEXT}))
    assert list(bundle.app.modules[1].positions.items()) == [("zebra", 6), ("ant", 7)]


async def test_source_maps_name_the_files_of_the_project(tools: Toolchain, prepared: Prepared) -> None:
    bundle = await tools.bundle(await prepared({"convex/messages.ts": MESSAGES, "convex/lib/text.ts": TEXT}))
    source_map = json.loads(bundle.app.modules[1].source_map or "")
    assert "convex/messages.ts" in source_map["sources"]
    assert "convex/lib/text.ts" in source_map["sources"]
    assert source_map["mappings"]
    assert "sourceMappingURL" not in bundle.app.modules[1].source


async def test_what_is_not_an_entry_point_is_left_out(tools: Toolchain, prepared: Prepared) -> None:
    bundle = await tools.bundle(
        await prepared(
            {
                "convex/messages.ts": MESSAGES,
                "convex/lib/text.ts": TEXT,
                "convex/schema.ts": 'import { defineSchema } from "convex/server";\nexport default defineSchema({});\n',
                "convex/auth.config.ts": "export default { providers: [] };\n",
                "convex/messages.test.ts": 'import "./messages";\n',
                "convex/.hidden.ts": "export {};\n",
                "convex/#draft.ts": "export {};\n",
                "convex/two words.ts": "export {};\n",
                "convex/script.ts": "const alone = 1;\n",
                "convex/readme.md": "# words\n",
                "convex/_generated/api.ts": "this is not TypeScript",
            }
        )
    )
    assert [module.path for module in bundle.app.modules] == [
        "auth.config.js",
        "lib/text.js",
        "messages.js",
        "schema.js",
    ]


async def test_use_node_chooses_the_environment_and_gets_built_ins(tools: Toolchain, prepared: Prepared) -> None:
    source = (
        '// a comment\n"use node";\nimport { action } from "./_generated/server";\n'
        'import { createHash } from "crypto";\n'
        'const hex = () => createHash("sha256").update("x").digest("hex");\n'
        "export const digest = action({ args: {}, handler: async () => hex() });\n"
    )
    bundle = await tools.bundle(await prepared({"convex/hashing.ts": source}))
    assert bundle.app.modules[0].environment == "node"
    assert str(run(tools, bundle.app.modules[0], "exported.digest._handler({}, {})")).startswith("2d711642b726b044")


@pytest.mark.parametrize("name", ["crypto", "node:fs/promises", "path"])
async def test_a_node_built_in_outside_of_use_node_is_refused(tools: Toolchain, prepared: Prepared, name: str) -> None:
    text = await refusal(tools, prepared, {"convex/a.ts": f'import * as it from "{name}";\nexport const x = it;\n'})
    assert f'convex/a.ts:1:21: Could not resolve "{name}"' in text
    assert f"{name} is a Node.js built-in" in text
    assert '"use node"' in text


async def test_a_name_that_convex_does_not_export_is_refused_with_its_place(
    tools: Toolchain, prepared: Prepared
) -> None:
    text = await refusal(
        tools,
        prepared,
        {
            "convex/a.ts": 'import { v } from "convex/values";\nimport { action } from "convex/server";\n'
            "export const a = action(v);\n"
        },
    )
    assert 'convex/a.ts:2:10: No matching export in "convex/server" for import "action"' in text


async def test_a_type_may_be_imported_as_if_it_were_a_value(tools: Toolchain, prepared: Prepared) -> None:
    await tools.bundle(
        await prepared(
            {
                "convex/a.ts": 'import { GenericId } from "convex/values";\n'
                'export const f = (id: GenericId<"t">) => id;\n'
            }
        )
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("export const broken = (;\n", 'convex/a.ts:1:24: Unexpected ";"'),
        ('import { x } from "./missing";\nexport const y = x;\n', 'convex/a.ts:1:19: Could not resolve "./missing"'),
        ('import x from "lodash";\nexport const y = x;\n', 'convex/a.ts:1:15: Could not resolve "lodash"'),
        ("export const now = await Promise.resolve(1);\n", "convex/a.ts:1:20: Top-level await is not supported"),
        ('import x from "/etc/hostname";\nexport const y = x;\n', "outside of the project"),
        ('import x from "../../../other/secret.json";\nexport const y = x;\n', "outside of the project"),
        ('import { y } from "./b";\nexport const z = y;\n', 'No matching export in "convex/b.ts" for import "y"'),
    ],
)
async def test_refusals_name_file_and_line(tools: Toolchain, prepared: Prepared, source: str, said: str) -> None:
    assert said in await refusal(tools, prepared, {"convex/a.ts": source, "convex/b.ts": "export const x = 1;\n"})


async def test_a_link_out_of_the_project_is_not_followed(tools: Toolchain, prepared: Prepared, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"key": "do not leak"}')
    project = await prepared({"convex/a.ts": 'import it from "./link.json";\nexport const x = it;\n'})
    (project.path / "convex/link.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(DeployFailed, match="outside of the project"):
        await tools.bundle(project)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("convex/my-file.ts", "can only contain alphanumeric characters"),
        ("convex/" + "x" * 65 + ".ts", "longer than 64 characters"),
        ("convex/___.ts", "at least one alphanumeric"),
        ("convex/_deps/a.ts", "_deps is reserved"),
        ("convex/actions/a.ts", 'need "use node"'),
    ],
)
async def test_paths_that_cannot_be_modules_are_refused(
    tools: Toolchain, prepared: Prepared, path: str, said: str
) -> None:
    assert said in await refusal(tools, prepared, {path: "export const x = 1;\n", "convex/ok.ts": "export {};\n"})


@pytest.mark.parametrize("name", ["http", "crons", "schema", "auth.config"])
async def test_some_files_may_not_use_node(tools: Toolchain, prepared: Prepared, name: str) -> None:
    text = await refusal(tools, prepared, {f"convex/{name}.ts": '"use node";\nexport default {};\n'})
    assert text.startswith(f'{name}.js: "use node" is not allowed')


async def test_two_files_for_one_module_are_refused(tools: Toolchain, prepared: Prepared) -> None:
    text = await refusal(tools, prepared, {"convex/a.ts": "export {};\n", "convex/a.js": "export {};\n"})
    assert "a.js" in text


async def test_a_project_without_functions_is_refused(tools: Toolchain, prepared: Prepared) -> None:
    assert "no folder convex/" in await refusal(tools, prepared, {"src/a.ts": "export {};\n"})
    assert "no file in convex/" in await refusal(tools, prepared, {"convex/readme.md": "words"})


async def test_the_functions_folder_may_have_another_name(tools: Toolchain, prepared: Prepared) -> None:
    project = await prepared(
        {
            "convex.json": '{"functions": "src/backend/"}',
            "src/backend/a.ts": MESSAGES.replace("./lib/text", "./t"),
            "src/backend/t.ts": TEXT,
        }
    )
    assert [module.original for module in (await tools.bundle(project)).app.modules] == [
        "src/backend/a.ts",
        "src/backend/t.ts",
    ]
    assert "not a folder of the project" in await refusal(tools, prepared, {"convex.json": '{"functions": "../other"}'})


async def test_an_over_large_bundle_is_refused(tools: Toolchain, prepared: Prepared) -> None:
    big = 'import data from "./data.json";\nexport const x = data;\n'
    text = await refusal(tools, prepared, {"convex/a.ts": big, "convex/data.json": json.dumps("x" * 34_000_000)})
    assert "more than the 32 MiB" in text


async def test_the_submission_cannot_change_compiler_settings(tools: Toolchain, prepared: Prepared) -> None:
    files = {
        "convex/messages.ts": MESSAGES,
        "convex/lib/text.ts": TEXT,
        "tsconfig.json": "{ not json",
        "convex/tsconfig.json": '{"compilerOptions": {"strict": false}}',
        "convex/lib/tsconfig.json": "{ not json",
    }
    project = await prepared(files)
    assert len((await tools.bundle(project)).app.modules) == 2
    assert json.loads((project.path / "convex/tsconfig.json").read_text())["compilerOptions"]["strict"] is True
    assert not (project.path / "convex/lib/tsconfig.json").exists()
