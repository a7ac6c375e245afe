"""An eval that touches everything a grader can touch, and how a hostile project is laid over its answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from convex_evals.suite import load_suite
from convex_evals.types import Eval

PACKAGE = '{"name": "probe", "private": true, "dependencies": {"convex": "^1.48.0"}}'
INDEX = """\
import {{ v }} from "convex/values";
import {{ api, internal }} from "./_generated/api";
import {{ action, internalMutation, mutation, query }} from "./_generated/server";
{top}
void api; void internal;
export const q = query({{ args: {{}}, returns: {returns}, handler: async (ctx: any): Promise<any> => {{ {query} }} }});
export const m = mutation({{ args: {{}}, handler: async (ctx: any): Promise<any> => {{ {mutation} }} }});
export const a = action({{ args: {{}}, handler: async (ctx: any): Promise<any> => {{ {action} }} }});
export const im = internalMutation({{ args: {{}}, handler: async (ctx: any): Promise<any> => {{ {internal} }} }});
"""
HTTP = """\
import {{ httpRouter }} from "convex/server";
import {{ httpAction }} from "./_generated/server";
{top}
const http = httpRouter();
http.route({{ path: "/x", method: "GET", handler: httpAction(async () => {{ {body} }}) }});
export default http;
"""
SCHEMA = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ notes: defineTable({ text: v.string() }) });
"""
CRONS = """\
import {{ cronJobs }} from "convex/server";
import {{ internal }} from "./_generated/api";
const crons = cronJobs();
{body}
export default crons;
"""
ESCAPE = """\
const leaks: (() => any)[] = [
  () => (fetch as any).constructor,
  () => (structuredClone(new Map()) as any).constructor.constructor,
  () => (new TextEncoder().encode("x") as any).constructor.constructor,
  () => (console.log as any).constructor,
  () => (new Headers() as any).constructor.constructor,
];
const realm = (leak: () => any) => { try { return leak()("return globalThis")(); } catch { return undefined; } };
const Deno: any = leaks.map(realm).find((found: any) => found?.Deno)?.Deno;
"""
GRADER = '''\
"""Everything once."""

from convex_evals.graders.api import Grading


async def test_functions(g: Grading) -> None:
    """Each kind of function."""
    public = g.response.public
    for call, path in ((public.query, "q"), (public.mutation, "m"), (public.action, "a")):
        value = await call(f"index:{path}", {})
        assert value is None, f"{path} returned {str(value)[:200]}"


async def test_site(g: Grading) -> None:
    """The HTTP action."""
    answer = await g.response.site("GET", "/x")
    assert answer.text == "ok", answer.text[:200]


async def test_tables(g: Grading) -> None:
    """Documents, and a live query over them."""
    await g.response.insert("notes", {"text": "x"})
    rows = await g.response.read("notes")
    assert len(rows) == 1, f"{len(rows)} rows"
    async with g.response.public.subscribe("index:q", {}) as live:
        value = await live.next()
        assert value is None, f"{str(value)[:200]}"


async def test_evidence(g: Grading) -> None:
    """What the log says."""
    async with g.response.evidence() as seen:
        await g.response.public.mutation("index:m", {})
    assert seen.of("index:m"), seen.calls
'''
TOML = 'why = "Graded by the tests of attacks only."\napi = ["query"]\nfamily = "probe"\nsplit = "train"\n'


def index(
    *,
    query: str = "return null;",
    mutation: str = "return null;",
    action: str = "return null;",
    internal: str = "return null;",
    returns: str = "v.any()",
    top: str = "",
) -> dict[str, str]:
    """convex/index.ts with hostile code in places."""
    text = INDEX.format(query=query, mutation=mutation, action=action, internal=internal, returns=returns, top=top)
    return {"convex/index.ts": text}


def site(body: str, top: str = "") -> dict[str, str]:
    """convex/http.ts whose only route runs this."""
    return {"convex/http.ts": HTTP.format(body=body, top=top)}


def crons(body: str) -> dict[str, str]:
    """convex/crons.ts."""
    return {"convex/crons.ts": CRONS.format(body=body)}


def answer() -> Mapping[str, str]:
    """The project that passes."""
    return {"package.json": PACKAGE, "convex/schema.ts": SCHEMA, **index(), **site('return new Response("ok");')}


def probe(folder: Path) -> Eval:
    """Write the eval below a folder and load it."""
    home = folder / "attacks" / "probe"
    files = {"TASK.txt": "Answer.\n", "eval.toml": TOML, "grader.py": GRADER}
    files |= {f"answer/{path}": text for path, text in answer().items()}
    for path, text in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    return load_suite(folder).evals[0]
