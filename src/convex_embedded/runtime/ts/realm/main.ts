// Runs once in the fresh global scope of each call, before any generated code, and makes it look like Convex's runtime.
// What depends on the call waits for `begin`, so that a realm can be made ready while nothing else is to do.

import { installConvex } from "./convex.ts";
import { installDeterminism } from "./determinism.ts";
import { type Any, define, type Hooks, type Realm } from "./hooks.ts";
import { shareIntrinsics } from "./intrinsics.ts";
import { type Bridge, installWeb } from "./web.ts";

const LEVELS = { log: "LOG", info: "INFO", warn: "WARN", error: "ERROR", debug: "DEBUG", trace: "LOG", dir: "LOG" };

/** `host`: the host's own globals. */
export function install(host: Record<string, Any>, AsyncLocalStorage: Any): Realm {
  shareIntrinsics(host);
  const bridge: Bridge = { syscall: null };
  const { request } = installWeb(host, AsyncLocalStorage, bridge);
  return {
    promisePrototype: Promise.prototype,
    request,
    begin(hooks) {
      bridge.syscall = hooks.syscall;
      installDeterminism(hooks, host);
      installConvex(hooks);
      installConsole(hooks);
      installProcess(hooks);
    },
  };
}

function installConsole(hooks: Hooks): void {
  const console: Record<string, unknown> = {};
  for (const [name, level] of Object.entries(LEVELS)) {
    console[name] = { [name]: (...values: unknown[]) => hooks.log(level, values) }[name];
  }
  const counts = new Map<string, number>();
  const timers = new Map<string, number>();
  const log = (...values: unknown[]) => hooks.log("LOG", values);
  console.assert = (holds: unknown, ...values: unknown[]) => {
    if (!holds) hooks.log("ERROR", ["Assertion failed", ...values]);
  };
  console.count = (label = "default") => {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    log(`${label}: ${counts.get(label)}`);
  };
  console.countReset = (label = "default") => void counts.delete(label);
  console.time = (label = "default") => void timers.set(label, Date.now());
  console.timeLog = (label = "default", ...values: unknown[]) =>
    log(`${label}: ${Date.now() - (timers.get(label) ?? Date.now())}ms`, ...values);
  console.timeEnd = (label = "default") => {
    log(`${label}: ${Date.now() - (timers.get(label) ?? Date.now())}ms`);
    timers.delete(label);
  };
  console.table = (value: unknown) => log(value);
  for (const name of ["group", "groupCollapsed"]) {
    console[name] = (...values: unknown[]) => values.length > 0 ? log(...values) : undefined;
  }
  console.groupEnd = () => {};
  define("console", console);
}

function installProcess(hooks: Hooks): void {
  const env = { ...hooks.env };
  if (!hooks.node) {
    define("process", { env });
    return;
  }
  for (const [name, value] of Object.entries(hooks.nodeGlobals)) define(name, value);
  const process = Object.create(hooks.nodeGlobals.process);
  Object.defineProperty(process, "env", { value: env, writable: true, enumerable: true });
  define("process", process);
  define("global", globalThis);
}
