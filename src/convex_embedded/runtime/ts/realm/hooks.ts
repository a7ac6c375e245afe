// The seam inside the process: what a realm (one call's global scope) gets from the host side of the runtime.

import type { Kind } from "../wire.ts";

// deno-lint-ignore no-explicit-any
export type Any = any;

export interface Hooks {
  kind: Kind;
  node: boolean;
  now: number;
  seed: number;
  env: Record<string, string>;
  nodeGlobals: Record<string, Any>;
  syscall(op: string, args: string, resolve: (json: string) => void, reject: (refusal: Refusal) => void): void;
  syncSyscall(op: string, args: string): string;
  log(level: string, values: unknown[]): void;
  startTimer(callback: () => void, milliseconds: number, repeats: boolean): number;
  stopTimer(id: number): void;
}

export interface Refusal {
  message: string;
  hasData?: boolean;
  data?: unknown;
}

/** What the host needs back from a realm. */
export interface Realm {
  promisePrototype: object;
  /** Once, before generated code: from here on the realm belongs to one call. */
  begin(hooks: Hooks): void;
  request(request: { method: string; url: string; headers: [string, string][]; body: string }): Any;
}

export function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
