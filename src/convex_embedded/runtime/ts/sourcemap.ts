// From a place in a bundled module to the place in the file that the developer wrote.

import { decode, type SourceMapMappings } from "@jridgewell/sourcemap-codec";

export interface Place {
  file: string;
  line: number;
  column: number;
}

interface Raw {
  sources?: (string | null)[];
  mappings?: string;
}

/** One module's map, decoded when an error first needs it. */
export class SourceMap {
  #decoded: SourceMapMappings | undefined;
  readonly #raw: Raw;
  readonly #original: string | null;

  constructor(text: string | null, original: string | null) {
    this.#raw = text === null ? {} : JSON.parse(text);
    this.#original = original;
  }

  /** Line and column from 1. Null when the place is glue code of the bundle. */
  find(line: number, column: number): Place | null {
    if (this.#raw.mappings === undefined) {
      return this.#original === null ? null : { file: shown(this.#original), line, column };
    }
    this.#decoded ??= decode(this.#raw.mappings);
    const segments = this.#decoded[line - 1] ?? [];
    let found = null;
    for (const segment of segments) {
      if (segment[0] > column - 1) break;
      if (segment.length > 1) found = segment;
    }
    if (found === null) return null;
    const source = this.#raw.sources?.[found[1]!];
    return source ? { file: this.#name(source), line: found[2]! + 1, column: found[3]! + 1 } : null;
  }

  #name(source: string): string {
    const original = this.#original;
    if (original !== null && (source === original || source.endsWith("/" + original))) return shown(original);
    return shown(source);
  }
}

/** As a Convex developer knows it: relative to a folder beside the functions folder. */
function shown(file: string): string {
  const modules = file.lastIndexOf("node_modules/");
  if (modules >= 0) return "../" + file.slice(modules);
  return "../" + file.replace(/^(\.{1,2}\/)+/, "").replace(/^\/+/, "");
}
