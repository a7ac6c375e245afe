// What a thrown value looks like to a Convex developer: "Uncaught Error: text" and lines of their own files.
// Thrown values are hostile: every property may be a getter that throws, so reading them is guarded.

import { inspect } from "node:util";
import type { ErrorReport } from "./wire.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

/** Place in a bundled module → "../convex/file.ts:line:col", or null for what is not the developer's. */
export type Locate = (module: number, line: number, column: number) => string | null;

export const SCRIPT_NAME = "convex-module:";
const FRAME = /^\s+at (async )?(?:(.*?) \()?convex-module:(\d+):(\d+):(\d+)\)?$/;
const PLACE = /convex-module:(\d+):(\d+):(\d+)/g;
const CONVEX_ERROR = Symbol.for("ConvexError");
const SHOWN_CHARACTERS = 10_000;

export function report(thrown: unknown, locate: Locate): ErrorReport {
  try {
    return { message: uncaught(thrown as Any, locate), ...convexData(thrown as Any) };
  } catch {
    return { message: "Uncaught Error: the thrown value can not be shown", hasData: false, data: null };
  }
}

/** The text of a thrown value, without "Uncaught". */
export function headline(thrown: Any): string {
  if (!isError(thrown)) return shown(thrown);
  const name = String(thrown.name ?? "Error");
  const message = String(thrown.message ?? "");
  return (message === "" ? name : `${name}: ${message}`).slice(0, 1 << 20);
}

/** A log line's text with bundle places replaced by the developer's. */
export function mapped(text: string, locate: Locate): string {
  if (!text.includes(SCRIPT_NAME)) return text;
  return text
    .split("\n")
    .filter((line) => !/^\s+at .*(ext:|file:\/\/|node:|convex-provided|convex-realm)/.test(line))
    .map((line) => line.replace(PLACE, (whole, module, row, column) => locate(+module, +row, +column) ?? whole))
    .join("\n");
}

function uncaught(thrown: Any, locate: Locate): string {
  const stack = isError(thrown) && typeof thrown.stack === "string" ? thrown.stack : "";
  return `Uncaught ${headline(thrown)}\n${frames(stack, locate)}`.trimEnd();
}

function frames(stack: string, locate: Locate): string {
  const lines = [];
  for (const line of stack.slice(-1 << 16).split("\n")) {
    const match = FRAME.exec(line);
    if (match === null) continue;
    const place = locate(Number(match[3]), Number(match[4]), Number(match[5]));
    if (place === null) continue;
    const name = (match[2] ?? "<anonymous>").replace(/^Object\./, "");
    lines.push(`    at ${match[1] ?? ""}${name} (${place})\n`);
  }
  return lines.join("");
}

function isError(thrown: Any): boolean {
  return typeof thrown === "object" && thrown !== null && "message" in thrown && "stack" in thrown;
}

function shown(thrown: Any): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  return inspect(thrown, { depth: 2, breakLength: Infinity }).slice(0, SHOWN_CHARACTERS);
}

function convexData(thrown: Any): { hasData: boolean; data: unknown } {
  const none = { hasData: false, data: null };
  if (typeof thrown !== "object" || thrown === null || !(CONVEX_ERROR in thrown)) return none;
  // The npm package has put the encoded text in the place of the data on the way out.
  if (typeof thrown.data !== "string") return none;
  try {
    return { hasData: true, data: JSON.parse(thrown.data) };
  } catch {
    return none;
  }
}
