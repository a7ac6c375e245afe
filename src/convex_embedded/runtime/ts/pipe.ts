// The two ends of the pipe: lines in, lines out. Knows nothing of calls.

const CHUNK_BYTES = 1 << 16;
const FLUSH_CHARACTERS = 1 << 15;
const NEWLINE = 10;

/** Writes lines in batches: a turn's worth of them costs one write. */
export class Writer {
  #pending = "";
  readonly #encoder = new TextEncoder();
  readonly #write: (bytes: Uint8Array) => number;
  readonly #later: (flush: () => void) => void;

  /** `later` is asked to arrange a flush when the first line of a batch comes. */
  constructor(write: (bytes: Uint8Array) => number, later: (flush: () => void) => void) {
    this.#write = write;
    this.#later = later;
  }

  line(head: string, payload: string): void {
    if (this.#pending === "") this.#later(() => this.flush());
    this.#pending += head + "\t" + payload + "\n";
    if (this.#pending.length > FLUSH_CHARACTERS) this.flush();
  }

  flush(): void {
    if (this.#pending === "") return;
    let bytes = this.#encoder.encode(this.#pending);
    this.#pending = "";
    while (bytes.length > 0) bytes = bytes.subarray(this.#write(bytes));
  }
}

/** Cuts a stream of bytes into lines. */
export class Lines {
  #parts: Uint8Array[] = [];
  #buffer = new Uint8Array(CHUNK_BYTES);
  readonly #decoder = new TextDecoder();

  /** Where the next read goes. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#buffer;
  }

  /** The lines that `size` new bytes in the buffer complete. */
  take(size: number): string[] {
    const end = this.#buffer.lastIndexOf(NEWLINE, size - 1);
    if (end < 0) {
      this.#parts.push(this.#buffer.slice(0, size));
      // A long line (the pushed code) is read in few, large chunks.
      if (this.#buffer.length < 1 << 22) this.#buffer = new Uint8Array(this.#buffer.length * 2);
      return [];
    }
    this.#parts.push(this.#buffer.slice(0, end));
    const text = this.#parts.length === 1
      ? this.#decoder.decode(this.#parts[0])
      : this.#decoder.decode(joined(this.#parts));
    this.#parts = end + 1 < size ? [this.#buffer.slice(end + 1, size)] : [];
    return text.split("\n");
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
