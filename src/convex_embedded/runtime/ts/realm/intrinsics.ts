// A realm has its own Error, Object, Promise …, but web APIs belong to the host's realm. Binary data has one set of
// constructors for both; `instanceof` of the others accepts both, as if there were one realm.

import { type Any, define } from "./hooks.ts";

const SHARED = [
  "ArrayBuffer",
  "SharedArrayBuffer",
  "DataView",
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
];
const LIKE = [
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "ReferenceError",
  "EvalError",
  "URIError",
  "AggregateError",
  "Object",
  "Function",
  "Promise",
  "Array",
  "Map",
  "Set",
  "Date",
  "RegExp",
];
// Newer than what Convex runs, and they read the real clock.
const HIDDEN = ["Temporal"];

export function shareIntrinsics(host: Record<string, Any>): void {
  for (const name of SHARED) if (host[name] !== undefined) define(name, host[name]);
  for (const name of LIKE) acceptForeign((globalThis as Any)[name], host[name]);
  for (const name of HIDDEN) delete (globalThis as Any)[name];
}

function acceptForeign(own: Any, foreign: Any): void {
  const ordinary = Function.prototype[Symbol.hasInstance];
  Object.defineProperty(own, Symbol.hasInstance, {
    value(this: unknown, candidate: unknown): boolean {
      return ordinary.call(this as Any, candidate) || (this === own && ordinary.call(foreign, candidate));
    },
    writable: true,
    configurable: true,
  });
}
