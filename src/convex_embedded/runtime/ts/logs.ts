// console.* as log lines: "[LOG] 'text' { a: 1 }", within the limits of one call.

import { inspect } from "node:util";
import { type Locate, mapped } from "./errors.ts";

export class Logs {
  readonly lines: string[] = [];
  readonly #maxLines: number;
  readonly #maxBytes: number;
  readonly #locate: Locate;
  #dropped = false;

  constructor(maxLines: number, maxBytes: number, locate: Locate) {
    this.#maxLines = maxLines;
    this.#maxBytes = maxBytes;
    this.#locate = locate;
  }

  add(level: string, values: unknown[]): void {
    if (this.lines.length >= this.#maxLines - 1) {
      if (!this.#dropped) {
        this.lines.push(`[ERROR] Log overflow (maximum ${this.#maxLines}). Remaining log lines omitted.`);
      }
      this.#dropped = true;
      return;
    }
    const text = mapped(`[${level}] ${values.map(shown).join(" ")}`, this.#locate);
    this.lines.push(text.length > this.#maxBytes ? cut(text, this.#maxBytes) : text);
  }
}

function cut(text: string, maxBytes: number): string {
  const suffix = " (truncated due to length)";
  return text.slice(0, maxBytes - suffix.length).toWellFormed() + suffix;
}

function shown(value: unknown): string {
  try {
    return inspect(value, { depth: 5, breakLength: Infinity, maxArrayLength: 200, maxStringLength: 20_000 });
  } catch {
    return "[value that can not be shown]";
  }
}
