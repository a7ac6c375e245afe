"""The global scope that generated code sees: what is there, what is not, and that two realms behave as one."""

from __future__ import annotations

from typing import Any

import pytest
from boxes import NOW_MS, Box

VISIBLE = """crypto.subtle crypto.getRandomValues crypto.randomUUID TextEncoder TextDecoder URL URLSearchParams Blob
File Headers Request Response FormData ReadableStream WritableStream TransformStream atob btoa structuredClone
AbortController AbortSignal performance.now console.log process.env queueMicrotask setTimeout fetch Event EventTarget
DOMException WebAssembly Intl AsyncLocalStorage CompressionStream"""
HIDDEN = """Buffer Deno global process.exit process.versions setImmediate window document navigator localStorage
Temporal __dirname Worker BroadcastChannel WebSocket"""


async def test_what_is_visible(box: Box) -> None:
    looks = (
        f'["{name}", (() => {{ try {{ return typeof {name}; }} catch {{ return "undefined"; }} }})()]'
        for name in f"{VISIBLE} {HIDDEN}".split()
    )
    await box.load(f"export const see = action({{ args: {{}}, handler: async () => [{', '.join(looks)}] }});")
    seen = dict(await box.value("see", kind="action"))
    assert [name for name in VISIBLE.split() if seen[name] == "undefined"] == []
    assert [name for name in HIDDEN.split() if seen[name] != "undefined"] == []


async def holds(box: Box, *expressions: str, kind: str = "action", **parts: Any) -> None:
    """Each JavaScript expression is true; `await` may be used."""
    checks = "\n".join(f"  out.push([{text!r}, await (async () => {text})()]);" for text in expressions)
    body = f"const out: any[] = [];\n{checks}\n  return out;"
    await box.load(f"export const check: any = {kind}({{ args: {{}}, handler: async () => {{ {body} }} }});")
    value = await box.value("check", kind=kind, **parts)
    assert [text for text, held in value if held is not True] == []


@pytest.mark.parametrize("kind", ["query", "action"])
async def test_objects_of_the_web_belong_to_the_realm(box: Box, kind: str) -> None:
    await holds(
        box,
        "new TextEncoder().encode('x') instanceof Uint8Array",
        "(await new Blob(['x']).arrayBuffer()) instanceof ArrayBuffer",
        "(await crypto.subtle.digest('SHA-256', new Uint8Array(1))) instanceof ArrayBuffer",
        "Object.getPrototypeOf(await new Response('{\"a\":[1]}').json()) === Object.prototype",
        "(await new Request('http://x.test', { method: 'POST', body: '[1]' }).json()) instanceof Array",
        "(await new Response('[1]').clone().json()).constructor === Array",
        "Response.json({ a: 1 }) instanceof Response",
        "new Response('x').clone() instanceof Response && new Request('http://x.test').clone() instanceof Request",
        "new URLSearchParams('a=1').getAll('a') instanceof Array",
        "(() => { try { new URL('no'); } catch (e) { return e instanceof TypeError && e instanceof Error; } })()",
        "(() => { try { new URL('no'); } catch (e) { return !(e instanceof RangeError); } })()",
        "(() => { try { atob('*'); } catch (e) { return e instanceof Error && e instanceof DOMException; } })()",
        "crypto.subtle.digest('SHA-256', new Uint8Array(1)) instanceof Promise",
        "new Headers({ a: '1' }).get('a') === '1' && Object.fromEntries(new Headers({ a: '1' })).a === '1'",
        "new Date() instanceof Date && new Date(0) instanceof Object && [] instanceof Object",
        "(() => { class A extends Error {} return !(new Error() instanceof A) && new A() instanceof A; })()",
        "new AbortController().signal instanceof AbortSignal",
        "(await new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)); c.close(); } }))"
        ".text()) === '\\0'",
        "(() => { const f = new FormData(); f.append('a', new Blob(['x'])); return f.get('a') instanceof File; })()",
        kind=kind,
    )


async def test_structured_clone_belongs_to_the_realm(box: Box) -> None:
    await holds(
        box,
        "structuredClone({ a: 1 }).constructor === Object && structuredClone([1]).constructor === Array",
        "structuredClone(new Map([[1, { b: 2 }]])).get(1).b === 2",
        "structuredClone(new Date(5)).getTime() === 5 && structuredClone(new Set([1])).has(1)",
        "structuredClone(new Uint8Array([1, 2, 3]).subarray(1))[1] === 3",
        "(() => { const a: any = {}; a.self = a; const b = structuredClone(a); return b !== a && b.self === b; })()",
        "(() => { try { structuredClone(() => 1); } catch (e) { return (e as any).name === 'DataCloneError'; } })()",
        "structuredClone(new TypeError('x')) instanceof TypeError",
    )


async def test_bytes_from_the_web_can_be_returned(box: Box) -> None:
    await box.load(
        """export const digest = query({ args: {}, returns: v.bytes(), handler: async () =>
  await crypto.subtle.digest("SHA-256", new TextEncoder().encode("a")) });
export const blob = action({ args: {}, handler: async () => await new Blob(["a"]).arrayBuffer() });
export const json = action({ args: {}, handler: async () => await new Response('{"a":{"b":[1]}}').json() });"""
    )
    assert await box.value("digest") == {"$bytes": "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="}
    assert await box.value("blob", kind="action") == {"$bytes": "YQ=="}
    assert await box.value("json", kind="action") == {"a": {"b": [1]}}


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_queries_and_mutations_see_one_moment(box: Box, kind: str) -> None:
    now = int(NOW_MS)
    await holds(
        box,
        f"Date.now() === {now} && new Date().getTime() === {now} && +new Date(5) === 5",
        f"new Date().constructor === Date && Date() === new Date({now}).toString()",
        f"new Intl.DateTimeFormat('en').format() === new Intl.DateTimeFormat('en').format({now})",
        "(() => { class D extends Date {} return new D() instanceof D && new D() instanceof Date; })()",
        "Date.UTC(2020, 0) === 1577836800000 && new Date(2020, 0).getTimezoneOffset() === 0",
        "performance.now() === performance.now()",
        kind=kind,
    )


async def test_actions_read_the_clock(box: Box) -> None:
    await holds(box, f"Date.now() > {int(NOW_MS)}", "typeof performance.now() === 'number'")


async def test_random_numbers_follow_the_seed(box: Box) -> None:
    await box.load(
        """export const roll = query({ args: {}, handler: async () =>
  [...Array.from({ length: 100 }, () => Math.random()), crypto.randomUUID(),
    ...crypto.getRandomValues(new Uint8Array(4))] });"""
    )
    first, again, other = [await box.value("roll", seed=seed) for seed in (2**40 + 1, 2**40 + 1, 2)]
    assert first == again
    assert first != other
    numbers = first[:100]
    assert all(0 <= number < 1 for number in numbers)
    assert 0.35 < sum(numbers) / 100 < 0.65
    assert len(set(numbers)) == 100


@pytest.mark.parametrize("kind", ["query", "mutation"])
@pytest.mark.parametrize(
    ("use", "name"),
    [
        ("fetch('http://x.test')", "fetch()"),
        ("setTimeout(() => {}, 1)", "setTimeout"),
        ("setInterval(() => {}, 1)", "setInterval"),
    ],
)
async def test_no_outside_world_in_queries_and_mutations(box: Box, kind: str, use: str, name: str) -> None:
    await box.load(f"export const bad = {kind}({{ args: {{}}, handler: async () => {{ await {use}; }} }});")
    error = (await box.call("bad", kind=kind)).error
    assert error is not None
    assert error.message.startswith(
        f"Uncaught Error: Can't use {name} in queries and mutations. Please consider using an action."
        " See https://docs.convex.dev/functions/actions for more details."
    )


async def test_module_globals_are_not_shared_between_calls(box: Box) -> None:
    await box.load("let n = 0; export const count = query({ args: {}, handler: async () => ++n });")
    assert [await box.value("count") for _ in range(3)] == [1, 1, 1]


async def test_a_node_module_has_node(box: Box) -> None:
    source = """"use node";
import { actionGeneric as action } from "convex/server";
import crypto from "node:crypto";
import { EventEmitter } from "events";
import path from "path";
export const see = action({ args: {}, handler: async () => [
  crypto.createHash("sha256").update("a").digest("hex").slice(0, 8), path.join("a", "b"), typeof EventEmitter,
  Buffer.from("aa", "hex").length, Buffer.from("x") instanceof Uint8Array, process.env.A, typeof process.version,
  typeof process.env.PATH, typeof global, Object.keys(process.env)] });
export const bytes = action({ args: {}, handler: async () => new Uint8Array(Buffer.from("hi")).buffer });
export const sleep = action({ args: {}, handler: async () => {
  const timer = setTimeout(() => {}, 1e6); timer.unref(); clearTimeout(timer);
  await new Promise((r) => setImmediate(r)); return 1; } });
"""
    await box.load({"m.ts": source})
    seen = await box.value("see", kind="action", env={"A": "b"})
    assert seen == ["ca978112", "a/b", "function", 1, True, "b", "string", "undefined", "object", ["A"]]
    assert await box.value("bytes", kind="action") == {"$bytes": "aGk="}
    assert await box.value("sleep", kind="action") == 1


async def test_node_built_ins_are_not_there_for_others(box: Box) -> None:
    await box.load(
        """export const bad = action({ args: {}, handler: async () => { const name = "fs"; (globalThis as any).x = name;
  const load = (0, eval)("typeof require"); return load; } });"""
    )
    assert await box.value("bad", kind="action") == "undefined"


async def test_async_local_storage(box: Box) -> None:
    await holds(
        box,
        "(() => { const s = new (globalThis as any).AsyncLocalStorage(); return s.run(5, async () => {"
        " await null; return s.getStore() === 5; }); })()",
    )


async def test_convex_browser_is_provided(box: Box) -> None:
    source = """import { ConvexHttpClient } from "convex/browser";
import { actionGeneric as action } from "convex/server";
export const see = action({ args: {}, handler: async () =>
  typeof new ConvexHttpClient("https://x.convex.cloud").query });"""
    await box.load({"m.ts": source})
    assert await box.value("see", kind="action") == "function"
