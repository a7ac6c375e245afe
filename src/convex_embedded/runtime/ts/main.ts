// The process: reads lines, runs calls, writes lines. Everything in here is on the untrusted side of the pipe: generated
// code that leaves its realm can do what this file can, and the trusted side believes nothing that it reads from here.

import { setImmediate } from "node:timers";
import { Analysis, Refused } from "./analyze.ts";
import { Call, type Shared } from "./calls.ts";
import { headline } from "./errors.ts";
import { invoke } from "./invoke.ts";
import { Loader } from "./loader.ts";
import { Lines, Writer } from "./pipe.ts";
import type { CallMessage, Pushed } from "./wire.ts";

/** True while the loop below handles lines: it flushes itself. */
let handling = false;

const writer = new Writer(
  (bytes) => Deno.stdout.writeSync(bytes),
  (flush) => handling ? undefined : void setImmediate(flush),
);
const loader = new Loader();
const calls = new Map<number, Call>();
const realms = new WeakMap<object, Call>();
const interned = new Map<number, Record<string, unknown>>();
let env: Record<string, string> = {};
let current: Call | null = null;
let told: Call | null = null;

const shared: Shared = {
  writer,
  loader,
  logLines: 256,
  logLineBytes: 4096,
  turn(call) {
    current = call;
    // With one call in flight there is no doubt whose code runs.
    if (calls.size < 2 || told === call) return;
    told = call;
    writer.line("T" + call.id, "");
    writer.flush();
  },
  ended(call) {
    calls.delete(call.id);
  },
};

const handlers: Record<string, (words: string[], payload: string) => void> = {
  m(_words, payload) {
    const pushed: Pushed = JSON.parse(payload);
    for (const definition of pushed.definitions) loader.add(definition);
    env = pushed.env;
    shared.logLines = pushed.logLines;
    shared.logLineBytes = pushed.logLineBytes;
  },
  z() {
    try {
      writer.line("A", JSON.stringify(new Analysis(shared, env).run()));
    } catch (thrown) {
      if (thrown instanceof Refused) writer.line("F", JSON.stringify(thrown.message));
      else writer.line("F", JSON.stringify(`Failed to analyze: ${headline(thrown)}`));
    }
  },
  i([key], payload) {
    interned.set(Number(key), JSON.parse(payload));
  },
  c([id], payload) {
    const message: CallMessage = JSON.parse(payload);
    const module = loader.definitions.get(message.definition)?.modules.get(message.module);
    const call = new Call(Number(id), {
      definition: message.definition,
      kind: message.kind,
      now: message.now,
      seed: message.seed,
      env: interned.get(message.env) as Record<string, string>,
      tables: interned.get(message.tables) as Record<string, number>,
      node: module?.environment === "node",
    }, shared);
    calls.set(call.id, call);
    realms.set(call.scope.promisePrototype, call);
    shared.turn(call);
    void invoke(call, message, shared);
  },
  a([id, number], payload) {
    calls.get(Number(id))?.answer(Number(number), payload);
  },
  x([id, number], payload) {
    calls.get(Number(id))?.refuse(Number(number), JSON.parse(payload));
  },
  k([id]) {
    calls.get(Number(id))?.drop();
  },
  p([number]) {
    const idle = [...calls.values()].filter((call) => call.idle).map((call) => call.id);
    writer.line("P" + number, JSON.stringify(idle));
  },
};

function handle(line: string): void {
  const tab = line.indexOf("\t");
  const words = line.slice(1, tab).split(" ");
  handlers[line[0]](words, line.slice(tab + 1));
}

/** A blocking read is the fastest way to wait, and right only when nothing but the pipe can wake any call. */
function mayBlock(): boolean {
  for (const call of calls.values()) {
    if (call.kind === "action" || call.kind === "httpAction" || !call.asks) return false;
  }
  return true;
}

/** Generated code failed where no one awaits it: the call it belongs to fails. */
function blame(event: Event, thrown: unknown, promise: object | null): void {
  event.preventDefault();
  const owner = promise === null ? undefined : realms.get(Object.getPrototypeOf(promise));
  (owner ?? current)?.fail(thrown);
}

globalThis.addEventListener("unhandledrejection", (event) => blame(event, event.reason, event.promise));
globalThis.addEventListener("error", (event) => blame(event, event.error, null));

const lines = new Lines();
for (;;) {
  const size = mayBlock() ? Deno.stdin.readSync(lines.buffer) : await Deno.stdin.read(lines.buffer);
  if (size === null) Deno.exit(0);
  handling = true;
  for (const line of lines.take(size)) handle(line);
  // Microtasks run to their end before an immediate does.
  await new Promise<void>((resolve) => setImmediate(resolve));
  handling = false;
  writer.flush();
  if (calls.size === 0) loader.prepare();
}
