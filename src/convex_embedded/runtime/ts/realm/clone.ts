// structuredClone for one realm: the host's own would answer with objects of the host's realm.

import type { Any } from "./hooks.ts";

const ERRORS = new Set(["Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError"]);

export function structuredClone(value: unknown): unknown {
  return copy(value, new Map());
}

function copy(value: Any, seen: Map<object, unknown>): unknown {
  if (typeof value === "function" || typeof value === "symbol") {
    throw new DOMException(`${String(value)} could not be cloned.`, "DataCloneError");
  }
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const leaf = copyLeaf(value, seen);
  if (leaf !== undefined) {
    seen.set(value, leaf);
    return leaf;
  }
  if (value instanceof Map) return copyMap(value, seen);
  if (value instanceof Set) return copySet(value, seen);
  const result: Any = Array.isArray(value) ? new Array(value.length) : {};
  seen.set(value, result);
  for (const key of Object.keys(value)) result[key] = copy(value[key], seen);
  return result;
}

/** Objects without references to others; undefined for the rest. */
function copyLeaf(value: Any, seen: Map<object, unknown>): unknown {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (value instanceof Blob) return value;
  if (ArrayBuffer.isView(value)) {
    const buffer = copy(value.buffer, seen);
    const length = value instanceof DataView ? value.byteLength : (value as Any).length;
    return new (value.constructor as Any)(buffer, value.byteOffset, length);
  }
  if (value instanceof Error) {
    const name = ERRORS.has(value.name) ? value.name : "Error";
    const result = new (globalThis as Any)[name](value.message);
    result.stack = value.stack;
    return result;
  }
  if (value instanceof Boolean || value instanceof Number || value instanceof String) return Object(value.valueOf());
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) {
    throw new DOMException(`${String(value)} could not be cloned.`, "DataCloneError");
  }
  return undefined;
}

function copyMap(value: Map<unknown, unknown>, seen: Map<object, unknown>): Map<unknown, unknown> {
  const result = new Map();
  seen.set(value, result);
  for (const [key, item] of value) result.set(copy(key, seen), copy(item, seen));
  return result;
}

function copySet(value: Set<unknown>, seen: Map<object, unknown>): Set<unknown> {
  const result = new Set();
  seen.set(value, result);
  for (const item of value) result.add(copy(item, seen));
  return result;
}
