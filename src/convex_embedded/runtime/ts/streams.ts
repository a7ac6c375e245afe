// Query streams: the npm package asks document by document, the trusted side answers in growing batches.

import type { Refusal } from "./realm/hooks.ts";

// The first documents come one by one: a loop that breaks after a few is charged for those, as on an official backend.
const SINGLES = 8;
const FIRST_BATCH = 16;
const LARGEST_BATCH = 1024;
const DONE = '{"value":null,"done":true}';

type Ask = (args: string, resolve: (json: string) => void, reject: (refusal: Refusal) => void) => void;

interface Stream {
  query: unknown;
  documents: unknown[];
  at: number;
  cursor: string | null;
  size: number;
  singles: number;
  exhausted: boolean;
}

export class Streams {
  readonly #open = new Map<number, Stream>();
  #ids = 0;

  constructor(private readonly ask: Ask) {}

  open(query: unknown): number {
    const id = this.#ids++;
    this.#open.set(id, { query, documents: [], at: 0, cursor: null, size: 1, singles: SINGLES, exhausted: false });
    return id;
  }

  /** What `queryCleanup` answers: whether there was such a stream. */
  close(id: number): boolean {
    return this.#open.delete(id);
  }

  next(id: number, resolve: (json: string) => void, reject: (refusal: Refusal) => void): void {
    const stream = this.#open.get(id);
    if (!stream) return reject({ message: `Query stream ${id} is not open` });
    if (stream.at < stream.documents.length) return resolve(taken(stream));
    if (stream.exhausted) return resolve(DONE);
    const { query, cursor, size } = stream;
    const more = (json: string) => {
      const batch: { documents: unknown[]; cursor: string | null } = JSON.parse(json);
      stream.documents = batch.documents;
      stream.at = 0;
      stream.cursor = batch.cursor;
      stream.exhausted = batch.cursor === null;
      stream.singles -= 1;
      if (stream.singles === 0) stream.size = FIRST_BATCH;
      if (stream.singles < 0) stream.size = Math.min(stream.size * 4, LARGEST_BATCH);
      if (batch.documents.length === 0 && !stream.exhausted) this.next(id, resolve, reject);
      else resolve(batch.documents.length === 0 ? DONE : taken(stream));
    };
    this.ask(JSON.stringify({ query, cursor, size }), more, reject);
  }
}

function taken(stream: Stream): string {
  return JSON.stringify({ value: stream.documents[stream.at++], done: false });
}
