"""Programs that mean harm, or behave as if: each costs its own call, and the next call works."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from boxes import Box, Host

from convex_embedded.runtime import BuiltRuntime
from convex_embedded.types import CallError, DeployError, Limits, Push

ESCAPE = """
export const fine = query({ args: {}, handler: async () => "fine" });
const outside = (code: string) => (URL as any).constructor(code)();   // a function of the host's realm: a way out
const write = (text: string) => outside("return Deno").stdout.writeSync(new TextEncoder().encode(text));
"""


@pytest.fixture
def limits() -> Limits:
    return Limits(
        query_seconds=0.4, mutation_seconds=0.4, action_wall_seconds=20.0, deploy_wall_seconds=15.0, memory_mib=96
    )


@pytest.fixture
async def brief(runtime: BuiltRuntime, make_push: Callable[..., Push]) -> AsyncIterator[Box]:
    """A sandbox whose actions may take one second."""
    box = Box(runtime, make_push, Limits(action_wall_seconds=1.0))
    yield box
    await box.sandbox.close()


async def costs_only_itself(box: Box, export: str, **parts: object) -> CallError:
    """The call fails, the next works."""
    result = await asyncio.wait_for(box.call(export, **parts), 20)
    assert result.error is not None, result
    assert await asyncio.wait_for(box.value("fine"), 20) == "fine"
    return result.error


async def test_a_busy_loop_is_cut_off(box: Box) -> None:
    await box.load(ESCAPE + "export const bad = query({ args: {}, handler: async () => { for (;;); } });")
    error = await costs_only_itself(box, "bad")
    assert (error.kind, error.message) == ("timeout", "Function execution timed out (maximum duration: 0.4s)")


async def test_a_loop_of_microtasks_is_cut_off(box: Box) -> None:
    await box.load(ESCAPE + "export const bad = query({ args: {}, handler: async () => { for (;;) await null; } });")
    assert (await costs_only_itself(box, "bad")).kind == "timeout"


async def test_a_loop_of_syscalls_is_cut_off(box: Box) -> None:
    await box.load(
        ESCAPE + "export const bad = query({ args: {}, handler: async (ctx) => {"
        " for (;;) await ctx.auth.getUserIdentity(); } });"
    )
    error = await costs_only_itself(box, "bad", host=Host(getUserIdentity=lambda _: None))
    assert error.kind == "timeout"


async def test_a_promise_that_never_settles_is_given_up(box: Box) -> None:
    await box.load(ESCAPE + "export const bad = query({ args: {}, handler: () => new Promise(() => {}) });")
    error = await costs_only_itself(box, "bad")
    assert error.kind == "timeout"
    assert "never resolves" in error.message


async def test_an_action_that_sleeps_too_long_is_given_up(brief: Box) -> None:
    await brief.load(
        ESCAPE + "export const bad = action({ args: {}, handler: () => new Promise((r) => setTimeout(r, 1e6)) });"
    )
    error = await costs_only_itself(brief, "bad", kind="action")
    assert (error.kind, error.message) == ("timeout", "Function execution timed out (maximum duration: 1s)")


async def test_an_action_that_spins_too_long_is_ended(brief: Box) -> None:
    await brief.load(ESCAPE + "export const bad = action({ args: {}, handler: async () => { for (;;); } });")
    error = await costs_only_itself(brief, "bad", kind="action")
    assert (error.kind, error.message) == ("timeout", "Function execution timed out (maximum duration: 1s)")


@pytest.mark.parametrize(
    "hoard",
    [
        pytest.param(
            "const a = []; for (;;) a.push(new Array(1e4).fill({}).map((x) => ({ ...x, y: 1 })));", id="objects"
        ),
        pytest.param("const a = []; for (;;) a.push(new Uint8Array(4e6).fill(1));", id="buffers"),
        pytest.param(
            "const a = []; for (let s = 'x';;) { s += s.slice(0, 1e6) + Math.random(); a.push([...s]); }", id="text"
        ),
    ],
)
async def test_memory_is_bounded(box: Box, hoard: str) -> None:
    await box.load(ESCAPE + f"export const bad = action({{ args: {{}}, handler: async () => {{ {hoard} }} }});")
    error = await costs_only_itself(box, "bad", kind="action")
    assert (error.kind, error.message) == (
        "memory",
        "JavaScript execution ran out of memory (maximum memory usage: 96 MB)",
    )


@pytest.mark.parametrize("code", ["Deno.exit(3)", "process.exit(3)", "Deno.kill(Deno.pid, 'SIGKILL')"])
async def test_an_exit_is_a_crash_of_that_call(box: Box, code: str) -> None:
    await box.load(
        ESCAPE + f'export const bad = query({{ args: {{}}, handler: async () => {{ outside("{code}"); for (;;); }} }});'
    )
    assert (await costs_only_itself(box, "bad")).kind == "crash"


async def test_process_exit_in_a_node_module_is_a_crash_of_that_call(box: Box) -> None:
    source = """"use node";
import { actionGeneric as action } from "convex/server";
export const bad = action({ args: {}, handler: async () => { process.exit(1); } });
export const fine = action({ args: {}, handler: async () => "fine" });
"""
    await box.load({"m.ts": source})
    result = await box.call("bad", kind="action")
    assert result.error is not None
    assert result.error.kind == "crash"
    assert await box.value("fine", kind="action") == "fine"


@pytest.mark.parametrize(
    "code",
    [
        "new Deno.Command('/bin/sh', { args: ['-c', 'id'] }).outputSync()",
        "Deno.readTextFileSync('/etc/hostname')",
        "Deno.readDirSync('.').next()",
        "Deno.writeTextFileSync('x', 'y')",
        "Deno.env.get('PATH')",
        "Deno.listen({ port: 0 })",
        "Deno.hostname()",
        "Deno.kill(Deno.ppid)",
        "Deno.dlopen('libc.so.6', {})",
        "process.getBuiltinModule('child_process').execSync('id')",
        "process.getBuiltinModule('fs').readFileSync('/etc/hostname')",
    ],
)
async def test_nothing_is_permitted_outside_the_realm(box: Box, code: str) -> None:
    await box.load(
        ESCAPE + f'export const bad = action({{ args: {{}}, handler: async () => outside("return {code}") }});'
    )
    error = await costs_only_itself(box, "bad", kind="action")
    assert error.kind == "user"
    assert "NotCapable" in error.message or "Requires" in error.message


async def test_a_direct_connection_is_not_permitted(box: Box) -> None:
    await box.load(
        ESCAPE
        + """export const bad = action({ args: {}, handler: async () =>
  await outside("return fetch('http://127.0.0.1:3999/')") });"""
    )
    assert "net access" in (await costs_only_itself(box, "bad", kind="action")).message


async def test_code_that_outlives_its_call_is_ended(box: Box) -> None:
    await box.load(
        ESCAPE
        + """export const bad = query({ args: {}, handler: async () => {
  outside(`new Worker("data:text/javascript,for(;;);", { type: "module" })`); return 1; } });"""
    )
    (process,) = denos()
    assert await box.value("bad") == 1
    # No call is in flight now: nobody's time limit would end it.
    await asyncio.wait_for(asyncio.to_thread(process.wait), 30)
    assert await asyncio.wait_for(box.value("fine"), 20) == "fine"


async def test_a_timer_left_behind_costs_a_later_call_at_most(box: Box) -> None:
    await box.load(
        ESCAPE
        + """export const bad = query({ args: {}, handler: async () => {
  outside("globalThis.setTimeout(() => { for (;;); }, 1); return 0"); return 1; } });"""
    )
    assert await box.value("bad") == 1
    result = await asyncio.wait_for(box.call("fine"), 20)
    assert result.error is None or result.error.kind in ("crash", "timeout")
    assert await asyncio.wait_for(box.value("fine"), 20) == "fine"


def denos() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.name() == "deno"]


async def test_threads_count(box: Box) -> None:
    await box.load(
        ESCAPE
        + """export const bad = query({ args: {}, handler: async () => {
  const spin = "data:text/javascript,for(;;);";
  for (let i = 0; i < 4; i++) outside(`return new Worker("${spin}", { type: "module" })`);
  for (;;); } });"""
    )
    assert (await costs_only_itself(box, "bad")).kind == "timeout"


async def test_a_flood_of_log_lines_is_capped(box: Box) -> None:
    await box.load(
        ESCAPE
        + """export const flood = query({ args: {}, handler: async () => {
  for (let i = 0; i < 5000; i++) console.log("x".repeat(10000)); return 1; } });"""
    )
    result = await box.call("flood")
    assert result.value == 1
    assert len(result.log_lines) == 256
    assert max(len(line) for line in result.log_lines) <= 4096
    assert "Log overflow" in result.log_lines[-1]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("hello world\\n", id="no line of ours"),
        pytest.param("V1 \\n\\t\\n\\n", id="broken heads"),
        pytest.param("V99999999999999999999999999999999999999\\t1\\n", id="no such call"),
        pytest.param("Vx\\t{\\n", id="no number"),
        pytest.param("S1 1\\t{}\\n", id="too few words"),
        pytest.param("P1\\t{}\\nP1\\t[[]]\\nT\\t\\nN\\t5\\nA\\t[]\\nF\\t1\\n", id="the wrong moment"),
        pytest.param("\\u0000\\u0001\\ufffd\\n", id="bytes"),
        pytest.param("L1\\t[1,2]\\n", id="log lines that are none"),
    ],
)
async def test_forged_lines_harm_no_one(box: Box, lines: str) -> None:
    await box.load(
        ESCAPE
        + f"""export const bad = query({{ args: {{}}, handler: async () => {{ write("{lines}"); return "own"; }} }});"""
    )
    assert await box.value("bad") == "own"
    assert await box.value("fine") == "fine"


async def test_a_flood_of_output_ends_the_process(box: Box) -> None:
    await box.load(
        ESCAPE
        + """export const bad = action({ args: {}, handler: async () => {
  for (;;) write("junk\\n".repeat(1000)); } });"""
    )
    assert (await costs_only_itself(box, "bad", kind="action")).kind == "crash"


async def test_an_endless_line_ends_the_process(box: Box) -> None:
    await box.load(
        ESCAPE
        + """export const bad = action({ args: {}, handler: async () => {
  const junk = "j".repeat(1 << 20); for (;;) write(junk); } });"""
    )
    assert (await costs_only_itself(box, "bad", kind="action")).kind == "limit"


async def test_a_result_of_broken_json_is_that_calls_failure(box: Box) -> None:
    await box.load(ESCAPE + 'export const bad = query({ args: {}, handler: async () => { write("V1\\t{]\\\\n"); } });')
    error = await costs_only_itself(box, "bad")
    assert error.kind == "crash"
    assert "could not be read" in error.message


async def test_a_call_that_ended_makes_no_syscalls(box: Box) -> None:
    await box.load(
        ESCAPE
        + """
export const early = action({ args: {}, handler: async (ctx) => {
  setTimeout(() => ctx.runMutation("m:x" as any, {}), 20); return 1; } });
export const late = query({ args: {}, handler: async () => {
  write('S1 77 1.0/insert\\t{"table":"t"}\\n'); return 2; } });
export const wait = action({ args: {}, handler: () => new Promise((r) => setTimeout(r, 200)) });
"""
    )
    host = Host(mutation=lambda _: None, insert=lambda _: {"_id": "x"})
    assert await box.value("early", host, kind="action") == 1
    assert await box.value("late", host) == 2
    await box.value("wait", host, kind="action")
    assert host.asked == []


async def test_one_call_can_not_answer_for_the_trusted_side(box: Box) -> None:
    """A syscall in the name of another call goes to that call's host, and is that deployment's own affair."""
    await box.load(
        ESCAPE
        + """
export const wait = action({ args: {}, handler: (ctx) => ctx.runQuery("m:slow" as any, {}) });
export const forge = query({ args: {}, handler: async () => { write('S1 999 1.0/insert\\t{"table":"t"}\\n'); } });
"""
    )
    release = asyncio.Event()
    waiting, forging = Host(query=lambda _: release.wait(), insert=lambda _: 1), Host(insert=lambda _: 1)
    first = asyncio.create_task(box.value("wait", waiting, kind="action"))
    await waiting.was_asked.wait()
    await box.value("forge", forging)
    release.set()
    assert await first is True
    assert forging.asked == []


async def test_too_many_operations_without_waiting(box: Box) -> None:
    await box.load(
        ESCAPE
        + """export const bad = query({ args: {}, handler: async (ctx) => {
  for (let i = 0; i < 150; i++) write("S1 7 1.0/get\\t{}\\n".repeat(1000));
  await ctx.auth.getUserIdentity(); } });"""
    )
    error = await costs_only_itself(box, "bad", host=Host(get=lambda _: asyncio.Event().wait()))
    assert error.kind == "limit"


async def test_pollution_of_one_realm_does_not_reach_the_next(box: Box) -> None:
    await box.load(
        ESCAPE
        + """
export const pollute = query({ args: {}, handler: async () => {
  (Object.prototype as any).evil = 1; JSON.stringify = () => "evil"; (globalThis as any).evil = 1;
  Promise.prototype.then = (() => {}) as any; return 1; } });
export const look = query({ args: {}, handler: async () => [typeof evil, ({} as any).evil === undefined] });
declare const evil: any;
"""
    )
    await asyncio.wait_for(box.call("pollute"), 20)
    assert await box.value("look") == ["undefined", True]


async def test_thrown_values_with_traps(box: Box) -> None:
    await box.load(
        ESCAPE
        + """
export const bad = query({ args: {}, handler: async () => {
  throw new Proxy(new Error("x"), { get() { throw new Error("trap"); }, has() { throw new Error("trap"); } }); } });
export const log = query({ args: {}, handler: async () => {
  console.log({ get x() { throw 1; }, toString() { throw 2; }, [Symbol.toStringTag]: {} }, new Proxy({}, {
    ownKeys() { throw 3; }, getPrototypeOf() { throw 4; } })); return 1; } });
"""
    )
    assert (await costs_only_itself(box, "bad")).kind == "user"
    assert await box.value("log") == 1


async def test_a_busy_bystander_is_not_blamed(box: Box) -> None:
    """Of calls in flight together, the one that spins gets the timeout."""
    await box.load(
        ESCAPE
        + """
export const spin = mutation({ args: {}, handler: async (ctx) => { await ctx.auth.getUserIdentity(); for (;;); } });
export const wait = action({ args: {}, handler: async (ctx) => {
  await ctx.auth.getUserIdentity(); await new Promise((r) => setTimeout(r, 1e6)); } });
"""
    )
    waiting = Host(getUserIdentity=lambda _: None)
    bystander = asyncio.create_task(box.call("wait", waiting, kind="action"))
    await waiting.was_asked.wait()
    culprit = await box.call("spin", Host(getUserIdentity=lambda _: None), kind="mutation")
    assert culprit.error is not None
    assert culprit.error.kind == "timeout"
    other = await bystander
    assert other.error is not None
    assert other.error.kind == "crash"


@pytest.mark.parametrize(
    ("file", "source", "text"),
    [
        pytest.param("m.ts", "for (;;);", r"timed out \(maximum duration: 2s\)", id="busy module"),
        pytest.param("m.ts", "throw new Error('no');", "Uncaught Error: no", id="throwing module"),
        pytest.param(
            "m.ts", "const a: any[] = []; for (;;) a.push({});", "out of memory|timed out", id="hoarding module"
        ),
        pytest.param("m.ts", "(URL as any).constructor('Deno.exit(0)')();", "process ended", id="leaving module"),
        pytest.param("schema.ts", "for (;;);", r"timed out \(maximum duration: 2s\)", id="busy schema"),
        pytest.param("convex.config.ts", "throw new Error('no');", "Uncaught Error: no", id="throwing config"),
        pytest.param("convex.config.ts", "for (;;);", r"timed out \(maximum duration: 2s\)", id="busy config"),
    ],
)
async def test_hostile_code_at_import_fails_the_deploy(box: Box, file: str, source: str, text: str) -> None:
    good = ESCAPE + "export const old = query({ args: {}, handler: async () => 1 });"
    await box.load(good)
    with pytest.raises(DeployError) as caught:
        await asyncio.wait_for(box.load({file: f"export default 1;\n{source}"}), 30)
    assert re.search(text, str(caught.value))
    assert file.replace(".ts", ".js") in str(caught.value)
    assert await box.value("old") == 1  # the code from before still serves


async def test_an_analysis_that_lies_is_refused(box: Box) -> None:
    with pytest.raises(DeployError):
        await box.load(ESCAPE + """write('A\\t[{"path": 5}]\\n'); for (let t = Date.now(); Date.now() < t + 300;);""")


def test_no_orphan_remains_when_the_parent_is_killed(
    runtime: BuiltRuntime, make_push: Callable, tmp_path: Path
) -> None:
    push = make_push({"m.ts": "export const x = 1;"})
    program = f"""
import asyncio
from pathlib import Path
from convex_embedded.runtime import BuiltRuntime
from convex_embedded.sandbox import Invocation, Proxy, Sandbox
from convex_embedded.types import *
SPIN = "exports.spin = require('convex/server').queryGeneric({{args: {{}}, handler: () => {{ for (;;); }}}});"
class Host:
    async def syscall(self, op, args): ...
async def main():
    runtime = BuiltRuntime(Path({str(runtime.main)!r}), Path({str(runtime.provided)!r}))
    sandbox = Sandbox(runtime, Limits(query_seconds=60), Proxy())
    await sandbox.load(Push(ComponentSource("", (Module("m.js", SPIN),))))
    print(sandbox._session.pid, flush=True)
    await sandbox.call(Invocation("", "m.js", "spin", "query", 0, 0), Host())
asyncio.run(main())
"""
    assert push.app.modules
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        deadline = time.monotonic() + 10
        while child.cpu_times().user < 0.3 and time.monotonic() < deadline:
            pass
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    child.wait(timeout=5)
    assert not psutil.pid_exists(child.pid)
