"""Calls: what goes in, what comes out, and how errors, logs and syscalls cross the pipe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from boxes import NOW_MS, SERVER, Box, Host

from convex_embedded.sandbox import Invocation
from convex_embedded.types import CallError, HttpRequest, Limits, Push, SandboxError, SyscallError


async def test_a_query_gets_its_arguments_and_answers(box: Box) -> None:
    await box.load(
        """export const echo = query({ args: { a: v.any() },
  handler: async (ctx, { a }) => ({ a, e: process.env.E }) });"""
    )
    values = [
        None,
        True,
        1.5,
        "ü𐐷",
        [1, "x"],
        {"k": {"$integer": "AQAAAAAAAAA="}},
        {"$bytes": "AQI="},
        {"$float": "AAAAAAAA8H8="},
    ]
    for value in values:
        assert await box.value("echo", args={"a": value}, env={"E": "env"}) == {"a": value, "e": "env"}


async def test_undefined_becomes_null(box: Box) -> None:
    await box.load("export const nothing = mutation({ args: {}, handler: async () => {} });")
    assert await box.value("nothing", kind="mutation") is None


async def test_an_error_shows_the_developers_own_lines(box: Box) -> None:
    await box.load(
        """function deep(x: number): never {
  throw new TypeError("no good");
}
export const bad = query({ args: {}, handler: async () => {
  await Promise.resolve();
  deep(1);
} });"""
    )
    error = (await box.call("bad")).error
    assert error == CallError(
        "Uncaught TypeError: no good\n    at deep (../convex/m.ts:3:9)\n    at handler (../convex/m.ts:7:3)"
    )


@pytest.mark.parametrize(
    ("thrown", "text"),
    [
        ("'text'", "Uncaught text"),
        ("null", "Uncaught null"),
        ("{ a: 1 }", "Uncaught { a: 1 }"),
        ("new Error()", "Uncaught Error"),
    ],
)
async def test_whatever_is_thrown_is_shown(box: Box, thrown: str, text: str) -> None:
    await box.load(f"export const bad = query({{ args: {{}}, handler: async () => {{ throw {thrown}; }} }});")
    error = (await box.call("bad")).error
    assert error is not None
    assert error.message.split("\n")[0] == text


async def test_convex_error_data_goes_out(box: Box) -> None:
    await box.load(
        """export const bad = mutation({ args: {}, handler: async () => {
  throw new ConvexError({ code: 5n, raw: new Uint8Array([1]).buffer }); } });
export const empty = mutation({ args: {}, handler: async () => { throw new ConvexError(null); } });"""
    )
    error = (await box.call("bad", kind="mutation")).error
    assert error is not None
    assert error.has_data
    assert error.data == {"code": {"$integer": "BQAAAAAAAAA="}, "raw": {"$bytes": "AQ=="}}
    assert error.message.startswith("Uncaught ConvexError: ")
    error = (await box.call("empty", kind="mutation")).error
    assert error is not None
    assert (error.has_data, error.data) == (True, None)


async def test_convex_error_data_comes_back_in(box: Box) -> None:
    await box.load(
        """export const relay = action({ args: {}, handler: async (ctx) => {
  try { await ctx.runMutation("m:inner" as any, {}); }
  catch (e: any) { return [e instanceof ConvexError, e.data, e.message]; } } });"""
    )

    def refuse(_: Any) -> None:
        raise SyscallError("inner failed", data={"n": {"$integer": "AQAAAAAAAAA="}}, has_data=True)

    value = await box.value("relay", Host(mutation=refuse), kind="action")
    assert value == [True, {"n": {"$integer": "AQAAAAAAAAA="}}, "inner failed"]


async def test_a_refused_syscall_is_an_ordinary_error(box: Box) -> None:
    await box.load('export const bad = query({ args: {}, handler: (ctx) => ctx.db.get("x" as any) });')

    def refuse(_: Any) -> None:
        raise SyscallError("Invalid ID")

    error = (await box.call("bad", Host(get=refuse))).error
    assert error is not None
    assert (error.message.split("\n")[0], error.has_data) == ("Uncaught Error: Invalid ID", False)


async def test_an_exception_of_the_host_ends_the_call(box: Box) -> None:
    await box.load('export const get = action({ args: {}, handler: (ctx) => ctx.runQuery("m:x" as any, {}) });')

    def fail(_: Any) -> None:
        raise LookupError("a bug of ours")

    with pytest.raises(LookupError):
        await box.call("get", Host(query=fail), kind="action")
    assert await box.value("get", Host(query=lambda _: 1), kind="action") == 1


async def test_log_lines_look_as_in_the_dashboard(box: Box) -> None:
    await box.load(
        """export const log = query({ args: {}, handler: async () => {
  console.log("text", 1, { a: [1, "x"], u: undefined }, null);
  console.warn(new Map([["k", 1n]]));
  console.error(new Error("seen")); console.info(); console.debug(true); } });"""
    )
    lines = (await box.call("log")).log_lines
    assert lines[0] == "[LOG] 'text' 1 { a: [ 1, 'x' ], u: undefined } null"
    assert lines[1] == "[WARN] Map(1) { 'k' => 1n }"
    assert lines[2].startswith("[ERROR] Error: seen\n    at ")
    assert "(../convex/m.ts:5:17)" in lines[2]
    assert lines[3:] == ("[INFO] ", "[DEBUG] true")


async def test_log_lines_come_with_errors_too(box: Box) -> None:
    await box.load("export const bad = query({ args: {}, handler: () => { console.log(1); throw new Error('x'); } });")
    assert (await box.call("bad")).log_lines == ("[LOG] 1",)


async def test_syscalls_of_a_mutation_come_in_order_one_at_a_time(box: Box) -> None:
    await box.load(
        """export const many = mutation({ args: {}, handler: async (ctx) =>
  await Promise.all([1, 2, 3].map((n) => ctx.db.insert("t", { n }))) });"""
    )
    running = []

    async def insert(args: Any) -> Any:
        running.append(args["value"]["n"])
        assert len(running) == 1
        for _ in range(5):
            await asyncio.sleep(0)
        return {"_id": f"id{running.pop()}"}

    assert await box.value("many", Host(insert=insert), kind="mutation") == ["id1", "id2", "id3"]


async def test_syscalls_of_an_action_run_together(box: Box) -> None:
    await box.load(
        """export const both = action({ args: {}, handler: (ctx) =>
  Promise.all([ctx.runQuery("m:a" as any, {}), ctx.runQuery("m:b" as any, {})]) });"""
    )
    together = asyncio.Barrier(2)

    async def query(args: Any) -> Any:
        await asyncio.wait_for(together.wait(), 10)
        return args["name"]

    assert await box.value("both", Host(query=query), kind="action") == ["m:a", "m:b"]


async def test_nested_calls(box: Box) -> None:
    await box.load(
        """export const outer = mutation({ args: {}, handler: async (ctx) =>
  [await ctx.runQuery("m:inner" as any, { n: 1 }), await ctx.runQuery("m:inner" as any, { n: 2 })] });
export const inner = query({ args: {}, handler: async (ctx, { n }: any) => n * 10 });"""
    )

    async def run(args: Any) -> Any:
        return await box.value(args["name"].split(":")[1], args=args["args"])

    assert await box.value("outer", Host(runUdf=run), kind="mutation") == [10, 20]


async def test_documents_come_in_batches(box: Box) -> None:
    await box.load(
        """export const all = query({ args: {}, handler: async (ctx) => (await ctx.db.query("t").collect()).length });
export const few = query({ args: {}, handler: async (ctx) => {
  for await (const d of ctx.db.query("t")) if (d.n === 3) return d; } });
export const none = query({ args: {}, handler: async (ctx) => await ctx.db.query("empty").first() });"""
    )

    read: list[int] = []

    def batch(args: Any) -> Any:
        source = args["query"]["source"]
        total = 0 if source["tableName"] == "empty" else 3000
        start = int(args["cursor"] or 0)
        end = min(start + args["size"], total)
        read.append(end - start)
        return {"documents": [{"n": n} for n in range(start, end)], "cursor": str(end) if end < total else None}

    host = Host(queryBatch=batch)
    assert await box.value("all", host) == 3000
    assert len(host.asked) < 16
    read.clear()
    host = Host(queryBatch=batch)
    assert await box.value("few", host) == {"n": 3}
    assert sum(read) == 4, "a loop that breaks is charged for what it read"
    assert await box.value("none", host) is None


async def test_normalize_id_needs_no_trip(box: Box) -> None:
    from convex_embedded.store.ids import new_id

    await box.load(
        """export const norm = query({ args: {}, handler: async (ctx, { id }: any) =>
  [ctx.db.normalizeId("users", id), ctx.db.normalizeId("posts", id), ctx.db.system.normalizeId("_storage", id)] });"""
    )
    tables = {"users": 10001, "posts": 300, "_storage": 5}
    for place, number in enumerate(tables.values()):
        id = new_id(number)
        expected = [id if at == place else None for at in range(3)]
        assert await box.value("norm", args={"id": id}, tables=tables) == expected
        wrong = id[:-3] + ("0" if id[-3] != "0" else "1") + id[-2:]
        assert await box.value("norm", args={"id": wrong}, tables=tables) == [None, None, None]
    for text in ("", "users", "x" * 32, "é" * 32):
        assert await box.value("norm", args={"id": text}, tables=tables) == [None, None, None]


HTTP = (
    SERVER
    + """const http = httpRouter();
http.route({ path: "/echo", method: "POST", handler: httpAction(async (_ctx, request) => {
  const blob = await request.blob();
  return new Response(blob, { status: 201, headers: { "x-a": request.headers.get("x-b")!, "x-url": request.url } });
}) });
http.route({ path: "/json", method: "GET", handler: httpAction(async () => Response.json({ a: 1 })) });
http.route({ path: "/cookies", method: "GET", handler: httpAction(async () => {
  const headers = new Headers(); headers.append("set-cookie", "a=1"); headers.append("set-cookie", "b=2");
  return new Response(null, { status: 204, headers }); }) });
http.route({ path: "/stream", method: "GET", handler: httpAction(async () => {
  let n = 0;
  return new Response(new ReadableStream({ async pull(c) {
    await new Promise((r) => setTimeout(r, 1));
    c.enqueue(new TextEncoder().encode(`${n}`)); if (++n > 4) c.close(); } }));
}) });
http.route({ path: "/bad", method: "GET", handler: httpAction(async () => { throw new ConvexError("why"); }) });
http.route({ path: "/wrong", method: "GET", handler: httpAction(async () => "text" as any) });
http.route({ pathPrefix: "/files/", method: "GET", handler: httpAction(async (_, request) =>
  new Response(new URL(request.url).pathname)) });
export default http;
"""
)


async def http(box: Box, method: str, path: str, **more: Any) -> Any:
    request = HttpRequest(method, f"https://site.test{path}", **more)
    return await box.call("default", kind="httpAction", module="http.js", request=request)


async def test_http_actions(box: Box) -> None:
    await box.load({"http.ts": HTTP})
    body = bytes(range(256))
    result = await http(box, "POST", "/echo?q=1", headers=(("x-b", "b"),), body=body)
    assert result.error is None
    assert (result.http.status, result.http.body) == (201, body)
    assert dict(result.http.headers)["x-a"] == "b"
    assert dict(result.http.headers)["x-url"] == "https://site.test/echo?q=1"
    result = await http(box, "GET", "/json")
    assert (result.http.body, dict(result.http.headers)["content-type"]) == (b'{"a":1}', "application/json")
    result = await http(box, "GET", "/cookies")
    assert [value for name, value in result.http.headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert (await http(box, "GET", "/stream")).http.body == b"01234"
    assert (await http(box, "GET", "/files/a/b")).http.body == b"/files/a/b"
    assert (await http(box, "HEAD", "/json")).http.status == 200
    result = await http(box, "GET", "/nowhere")
    assert (result.http.status, result.http.body) == (404, b"No HttpAction routed for /nowhere")
    error = (await http(box, "GET", "/bad")).error
    assert (error.has_data, error.data) == (True, "why")
    assert "must return a Response" in (await http(box, "GET", "/wrong")).error.message


async def test_blobs_of_actions(box: Box) -> None:
    await box.load(
        """export const blobs = action({ args: {}, handler: async (ctx) => {
  const id = await ctx.storage.store(new Blob(["hello"], { type: "text/plain" }));
  const blob = (await ctx.storage.get(id))!;
  return [id, await blob.text(), blob.type, blob instanceof Blob, await ctx.storage.get("none" as any)]; } });"""
    )
    stored: dict[str, Any] = {}

    def store(args: Any) -> str:
        stored.update(args)
        return "id1"

    host = Host(storageStore=store, storageGet=lambda args: stored if args["storageId"] == "id1" else None)
    assert await box.value("blobs", host, kind="action") == ["id1", "hello", "text/plain", True, None]
    assert (stored["blob"], stored["contentType"]) == ("aGVsbG8=", "text/plain")


async def test_timers_in_actions(box: Box) -> None:
    await box.load(
        """export const wait = action({ args: {}, handler: async () => {
  const seen: string[] = [];
  const never = setTimeout(() => seen.push("never"), 5); clearTimeout(never);
  const every = setInterval(() => seen.push("tick"), 2);
  await new Promise<void>((r) => setTimeout((x: string) => { seen.push(x); r(); }, 30, "arg"));
  clearInterval(every);
  return [seen.includes("never"), seen.filter((x) => x === "tick").length > 2, seen.at(-1)]; } });
export const thrown = action({ args: {}, handler: () =>
  new Promise(() => setTimeout(() => { throw new Error("late"); }, 1)) });"""
    )
    assert await box.value("wait", kind="action") == [False, True, "arg"]
    error = (await box.call("thrown", kind="action")).error
    assert error is not None
    assert error.message.startswith("Uncaught Error: late")


async def test_an_unhandled_rejection_fails_the_call_it_belongs_to(box: Box) -> None:
    await box.load(
        """export const bad = action({ args: {}, handler: async () => {
  void Promise.reject(new Error("floating")); await new Promise((r) => setTimeout(r, 1000)); } });
export const good = action({ args: {}, handler: async () => {
  await new Promise((r) => setTimeout(r, 100)); return 1; } });"""
    )
    good, bad = await asyncio.gather(box.call("good", kind="action"), box.call("bad", kind="action"))
    assert (good.value, good.error) == (1, None)
    assert bad.error is not None
    assert bad.error.message.startswith("Uncaught Error: floating")


async def test_many_calls_at_once(box: Box) -> None:
    await box.load(
        """export const slow = mutation({ args: {}, handler: async (ctx, { n }: any) => {
  await ctx.auth.getUserIdentity(); for (let i = 0; i < 1e5; i++) Math.sqrt(i); return n; } });"""
    )
    host = Host(getUserIdentity=lambda _: None)
    calls = (box.value("slow", host, kind="mutation", args={"n": n}) for n in range(300))
    assert await asyncio.gather(*calls) == list(range(300))


async def test_waiting_for_the_host_costs_no_cpu_time(box: Box, limits: Limits) -> None:
    await box.load("export const wait = query({ args: {}, handler: async (ctx) => await ctx.auth.getUserIdentity() });")
    loop = asyncio.get_running_loop()

    async def late(_: Any) -> None:
        done = loop.create_future()
        loop.call_later(limits.query_seconds + 0.3, done.set_result, None)
        await done

    assert await box.value("wait", Host(getUserIdentity=late)) is None


async def test_a_cancelled_call_is_dropped(box: Box) -> None:
    await box.load("""export const wait = action({ args: {}, handler: (ctx) => ctx.runQuery("m:x" as any, {}) });""")
    host = Host(query=lambda _: asyncio.Event().wait())
    task = asyncio.create_task(box.call("wait", host, kind="action"))
    await host.was_asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await box.value("wait", Host(query=lambda _: 1), kind="action") == 1


async def test_new_code_serves_while_old_calls_end(box: Box) -> None:
    old = (
        'export const f = action({ args: {}, handler: async (ctx) => [await ctx.runQuery("m:x" as any, {}), "old"] });'
    )
    await box.load(old)
    release = asyncio.Event()
    host = Host(query=lambda _: release.wait())
    first = asyncio.create_task(box.value("f", host, kind="action"))
    await host.was_asked.wait()
    await box.load(old.replace("old", "new"))
    assert await box.value("f", Host(query=lambda _: 1), kind="action") == [1, "new"]
    release.set()
    assert await first == [True, "old"]


async def test_strings_that_are_no_unicode_are_refused(box: Box) -> None:
    await box.load(
        r"""export const out = query({ args: {}, handler: async () => "a\ud800b" });
export const thrown = query({ args: {}, handler: async () => { console.log("\udc00"); throw new Error("x\ud83d"); } });
export const fine = query({ args: {}, handler: async () => "😀 \\ud800" });
export const ask = mutation({ args: {}, handler: async (ctx) => await ctx.db.insert("t", { s: "\ud800" }) });"""
    )
    error = (await box.call("out")).error
    assert error is not None
    assert "Unicode" in error.message
    result = await box.call("thrown")
    assert result.error is not None
    (result.error.message + result.log_lines[0]).encode()
    assert await box.value("fine") == "😀 \\ud800"
    error = (await box.call("ask", Host(insert=lambda _: {"_id": "x"}), kind="mutation")).error
    assert error is not None
    assert "Unicode" in error.message


async def test_a_function_that_is_not_there(box: Box) -> None:
    await box.load("export const there = query({ args: {}, handler: async () => 1 });")
    for parts in ({"export": "toString"}, {"export": "there", "kind": "mutation"}, {"export": "x", "module": "n.js"}):
        error = (await box.call(**parts)).error
        assert error is not None
        assert error.message.startswith("Uncaught Error: Could not find")


async def test_nothing_loaded(box: Box) -> None:
    with pytest.raises(SandboxError):
        await box.sandbox.call(Invocation("", "m.js", "f", "query", NOW_MS, 0), Host())


async def test_close_ends_calls_in_flight(box: Box, make_push: Callable[..., Push]) -> None:
    await box.load('export const wait = action({ args: {}, handler: (ctx) => ctx.runQuery("m:x" as any, {}) });')
    host = Host(query=lambda _: asyncio.Event().wait())
    task = asyncio.create_task(box.call("wait", host, kind="action"))
    await host.was_asked.wait()
    await box.sandbox.close()
    error = (await task).error
    assert error is not None
    assert error.kind == "crash"
