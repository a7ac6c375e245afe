"""Types and lint: what counts, with which settings, and that many share one run."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from convex_evals.errors import ToolFailed
from convex_evals.toolchain import Finding, Toolchain, checking
from convex_evals.toolchain.lint_rules import RULES, LintRule
from tests.toolchain.conftest import Prepared
from tests.toolchain.registry import Registry

SCHEMA = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ messages: defineTable({ body: v.string() }).index("by_body", ["body"]) });
"""
GOOD = """\
import { query, mutation, internalMutation, action } from "./_generated/server";
import { api, internal } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";
import { v } from "convex/values";

export const list = query({
  args: { body: v.string() },
  returns: v.array(v.any()),
  handler: async (ctx, { body }): Promise<Doc<"messages">[]> =>
    await ctx.db.query("messages").withIndex("by_body", (q) => q.eq("body", body)).collect(),
});
export const send = mutation({
  args: { body: v.string() },
  handler: async (ctx, { body }): Promise<Id<"messages">> => {
    const id = await ctx.db.insert("messages", { body });
    await ctx.scheduler.runAfter(0, internal.messages.remove, { id });
    return id;
  },
});
export const remove = internalMutation({
  args: { id: v.id("messages") },
  handler: async (ctx, { id }) => await ctx.db.delete(id),
});
export const relay = action({
  args: {},
  handler: async (ctx): Promise<number> => (await ctx.runQuery(api.messages.list, { body: "x" })).length,
});
"""
PROJECT = {"convex/schema.ts": SCHEMA, "convex/messages.ts": GOOD}


async def test_a_good_project_has_no_findings(tools: Toolchain, prepared: Prepared) -> None:
    project = await prepared(PROJECT)
    assert await tools.typecheck(project) == ()
    assert await tools.lint(project) == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "code"),
    [
        ('"by_body"', '"by_nothing"', 10, "TS2345"),
        ("internal.messages.remove, { id }", "internal.messages.gone, { id }", 16, "TS2339"),
        ("internal.messages.remove, { id }", "internal.messages.remove, {}", 16, "TS2741"),
        ("api.messages.list", "internal.messages.list", 26, "TS2339"),
        ('insert("messages", { body })', 'insert("messages", { body: 1 })', 15, "TS2322"),
        ("(ctx, { body }): Promise<Id", "(ctx, { bodi }): Promise<Id", 14, "TS2339"),
    ],
)
async def test_wrong_code_is_found_where_it_is(
    tools: Toolchain, prepared: Prepared, old: str, new: str, line: int, code: str
) -> None:
    assert old in GOOD
    project = await prepared({**PROJECT, "convex/messages.ts": GOOD.replace(old, new, 1)})
    found = await tools.typecheck(project)
    assert (line, code) in [(finding.line, finding.code) for finding in found]
    assert all(finding.counts and finding.file == "convex/messages.ts" for finding in found)


async def test_without_a_schema_documents_have_any_shape(tools: Toolchain, prepared: Prepared) -> None:
    loose = GOOD.replace('Doc<"messages">', "Doc").replace(
        'withIndex("by_body", (q) => q.eq("body", body))', "order('desc')"
    )
    assert await tools.typecheck(await prepared({"convex/messages.ts": loose})) == ()


async def test_columns_count_characters_not_bytes(tools: Toolchain, prepared: Prepared) -> None:
    [finding] = await tools.typecheck(
        await prepared({"convex/a.ts": 'export const é: string = "ü", x: number = "";\n'})
    )
    assert str(finding) == "convex/a.ts:1:31: TS2322: Type 'string' is not assignable to type 'number'."


async def test_src_is_checked_with_settings_for_apps(tools: Toolchain, prepared: Prepared) -> None:
    files = {
        **PROJECT,
        "src/api.ts": 'import { api } from "../convex/_generated/api";\nimport "./theme.pcss";\n'
        "export const url: string = import.meta.env.VITE_CONVEX_URL;\nexport const list = api.messages.list;\n"
        "for (const node of document.querySelectorAll('p')) node.remove();\nexport const gone = api.messages.gone;\n",
        "src/theme.pcss": "p { color: red }\n",
    }
    found = await tools.typecheck(await prepared(files))
    assert [(finding.file, finding.line, finding.code) for finding in found] == [("src/api.ts", 6, "TS2339")]


async def test_types_of_declared_packages_are_seen_and_no_others(
    tools: Toolchain, prepared: Prepared, packages: Registry
) -> None:
    packages.add("convex", tools.versions["convex"])
    packages.add("@types/thing", "1.0.0", {"index.d.ts": "declare const thing: number;\n"}, types="index.d.ts")
    source = {"convex/a.ts": "export const x: number = thing;\n"}
    with_types = {"package.json": '{"dependencies": {"convex": "*"}, "devDependencies": {"@types/thing": "1"}}'}
    assert await tools.typecheck(await prepared({**source, **with_types})) == ()
    assert [finding.code for finding in await tools.typecheck(await prepared(source))] == ["TS2304"]


async def test_errors_elsewhere_do_not_count(tools: Toolchain, prepared: Prepared) -> None:
    project = await prepared({**PROJECT, "vite.config.ts": "const x: number = '';\n"})
    (project.path / "convex/_generated/extra.ts").write_text("const x: number = '';\n")
    assert await tools.typecheck(project) == ()


async def test_syntax_errors_are_findings_too(tools: Toolchain, prepared: Prepared) -> None:
    found = await tools.typecheck(await prepared({"convex/a.ts": "export const x = {;\n"}))
    assert found
    assert found[0].line == 1


def tsc(tools: Toolchain, folder: Path) -> set[tuple[str, int, int, str]]:
    """What the compiler's own command line says about the functions of a project."""
    script = tools.node_modules / "typescript" / "bin" / "tsc"
    command = [tools.node, script, "-p", "convex", "--pretty", "false"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    places = re.findall(r"^(\S.*)\((\d+),(\d+)\): error (TS\d+)", done.stdout, re.MULTILINE)
    return {(file, int(line), int(column), code) for file, line, column, code in places}


async def test_the_verdict_is_that_of_the_compiler_itself(tools: Toolchain, prepared: Prepared) -> None:
    """The checker is embedded in the linter: it must agree with tsc of the pinned version, line by line."""
    broken = (
        GOOD.replace('"by_body"', '"by_nothing"')
        .replace("gone", "x")
        .replace("): Promise<number>", "): Promise<string>")
    )
    project = await prepared(
        {**PROJECT, "convex/messages.ts": broken, "convex/b.ts": "export const x: number = process.env.A;\n"}
    )
    ours = {(finding.file, finding.line, finding.column, finding.code) for finding in await tools.typecheck(project)}
    theirs = tsc(tools, project.path)
    assert len(theirs) >= 3
    assert ours == theirs


async def test_many_projects_share_one_run(tools: Toolchain, prepared: Prepared) -> None:
    runs = _count_runs(tools)
    projects = [await prepared({"convex/a.ts": f"export const x: {kind} = 1;\n"}) for kind in ("number", "string") * 3]
    found = await asyncio.gather(*(tools.typecheck(p) for p in projects), *(tools.lint(p) for p in projects))
    assert [len(findings) for findings in found] == [0, 1] * 3 + [0] * 6
    assert len(runs) == 1


async def test_a_changed_file_is_checked_again(tools: Toolchain, prepared: Prepared) -> None:
    runs = _count_runs(tools)
    project = await prepared({"convex/a.ts": "export const x: number = 1;\n"})
    assert await tools.typecheck(project) == ()
    assert await tools.lint(project) == ()
    assert len(runs) == 1
    (project.path / "convex/a.ts").write_text("export const x: string = 1;\n")
    assert len(await tools.typecheck(project)) == 1
    assert len(runs) == 2


async def test_a_checker_that_breaks_is_our_failure_and_only_of_the_project_that_breaks_it(
    tools: Toolchain, prepared: Prepared, tmp_path: Path
) -> None:
    real = tools._checker._tsgolint
    wrapper = tmp_path / "tsgolint"
    wrapper.write_text(
        '#!/bin/sh\ninput=$(cat)\ncase "$input" in *breaks.ts*) echo boom >&2; exit 2;; esac\n'
        f'printf %s "$input" | {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    tools._checker._tsgolint = wrapper
    good, bad = await prepared(PROJECT), await prepared({"convex/breaks.ts": "export {};\n"})
    good_result, bad_result = await asyncio.gather(tools.typecheck(good), tools.typecheck(bad), return_exceptions=True)
    assert good_result == ()
    assert isinstance(bad_result, ToolFailed)
    assert "boom" in str(bad_result)


async def test_types_without_end_are_the_submissions_doing(
    tools: Toolchain, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_ENDLESS_CPU_SECONDS", 0.5)
    digits = "type D = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;\n"
    heavy = "".join(f"export const a{n}: `${{D}}${{D}}${{D}}${{D}}x{n}` = `${{'' as D}}`;\n" for n in range(400))
    good, bad = await prepared(PROJECT), await prepared({"convex/a.ts": digits + heavy})
    good_found, bad_found = await asyncio.gather(tools.typecheck(good), tools.typecheck(bad))
    assert good_found == ()
    assert [(finding.code, finding.counts) for finding in bad_found] == [("endless", True)]


async def test_types_that_fill_the_memory_or_overflow_the_stack_are_the_submissions_doing(
    tools: Toolchain, prepared: Prepared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checking, "_LARGEST_BYTES", 2**20)
    monkeypatch.setattr(checking, "_LOOK_SECONDS", 0.001)
    (found,) = await tools.typecheck(await prepared(PROJECT))
    assert found.code == "endless"
    assert "MiB of memory" in found.message
    monkeypatch.setattr(checking, "_LARGEST_BYTES", 2**40)
    wrapper = tmp_path / "overflows.sh"
    wrapper.write_text("#!/bin/sh\ncat > /dev/null\necho 'fatal error: stack overflow' >&2\nexit 2\n")
    wrapper.chmod(0o755)
    tools._checker._tsgolint = wrapper
    (found,) = await tools.typecheck(await prepared({**PROJECT, "convex/other.ts": "export {};\n"}))
    assert "overflows the stack" in found.message


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
async def test_each_rule_tells_its_two_programs_apart(tools: Toolchain, prepared: Prepared, rule: LintRule) -> None:
    """And neither deploying nor type checking would have: that is why the rule exists."""
    for source, expected in ((rule.fails, [rule.id]), (rule.passes, [])):
        project = await prepared({**PROJECT, "convex/program.ts": source})
        await tools.bundle(project)
        assert await tools.typecheck(project) == ()
        assert [finding.code for finding in await tools.lint(project)] == expected


async def test_lint_is_about_functions_not_about_apps(tools: Toolchain, prepared: Prepared) -> None:
    app = "export const send = async () => {};\nexport const click = () => { send(); };\n"
    assert await tools.lint(await prepared({**PROJECT, "src/a.ts": app})) == ()
    assert len(await tools.lint(await prepared({**PROJECT, "convex/a.ts": app}))) == 1


async def test_findings_cannot_be_commented_away(tools: Toolchain, prepared: Prepared) -> None:
    source = RULES[0].fails.replace(
        "    ctx.db", "    // eslint-disable-next-line\n    // oxlint-disable-next-line\n    ctx.db"
    )
    found: tuple[Finding, ...] = await tools.lint(await prepared({**PROJECT, "convex/a.ts": source}))
    assert [finding.code for finding in found] == [RULES[0].id]


def _count_runs(tools: Toolchain) -> list[int]:
    runs: list[int] = []
    original = tools._checker._process

    async def counted(request: bytes, cpu_seconds: float) -> bytes:
        runs.append(len(request))
        return await original(request, cpu_seconds)

    tools._checker._process = counted
    return runs
