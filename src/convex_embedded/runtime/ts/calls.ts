// One call: its realm, its syscalls, its timers, its end. A call that has ended can do nothing any more.

import { report } from "./errors.ts";
import { tableNumber } from "./ids.ts";
import type { Loader, Scope } from "./loader.ts";
import { Logs } from "./logs.ts";
import { nodeGlobals } from "./node.ts";
import type { Writer } from "./pipe.ts";
import type { Hooks, Refusal } from "./realm/hooks.ts";
import { Streams } from "./streams.ts";
import type { CallMessage, Kind } from "./wire.ts";

const OPERATION = /^[\w./-]{1,64}$/;
// JSON.stringify escapes a lone surrogate; a pair it leaves as it is.
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

interface Waiting {
  resolve(json: string): void;
  reject(refusal: Refusal): void;
}

/** What all calls of the process share. */
export interface Shared {
  writer: Writer;
  loader: Loader;
  logLines: number;
  logLineBytes: number;
  /** Tells the trusted side whose code is about to run. */
  turn(call: Call): void;
  ended(call: Call): void;
}

export interface Invoked extends Pick<CallMessage, "definition" | "kind" | "now" | "seed"> {
  env: Record<string, string>;
  tables: Record<string, number>;
  node: boolean;
}

export class Call {
  readonly scope: Scope;
  readonly logs: Logs;
  readonly #waiting = new Map<number, Waiting>();
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  readonly #streams: Streams;
  #syscalls = 0;
  #timerIds = 0;
  #over = false;

  constructor(readonly id: number, readonly about: Invoked, private readonly shared: Shared) {
    this.logs = new Logs(shared.logLines, shared.logLineBytes, shared.loader.locate);
    this.#streams = new Streams((args, resolve, reject) => this.#ask("queryBatch", args, resolve, reject));
    this.scope = shared.loader.scope();
    this.scope.begin(this.#hooks());
  }

  get kind(): Kind {
    return this.about.kind;
  }

  /** Nothing can wake it but an answer from the trusted side. */
  get asks(): boolean {
    return this.#waiting.size > 0 && this.#timers.size === 0;
  }

  /** Nothing that this runtime knows of can ever wake it. */
  get idle(): boolean {
    return this.#waiting.size === 0 && this.#timers.size === 0 && !this.about.node;
  }

  succeed(head: "V" | "H", payload: string): void {
    if (!this.#end()) return;
    const sound = typeof payload === "string" && !payload.includes("\n");
    if (sound && !LONE_SURROGATE.test(payload)) this.shared.writer.line(head + this.id, payload);
    else this.#writeError(new Error("The value that the function returned is not valid JSON or not valid Unicode"));
  }

  fail(thrown: unknown): void {
    if (this.#end()) this.#writeError(thrown);
  }

  drop(): void {
    this.#over = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
    this.shared.ended(this);
  }

  answer(number: number, json: string): void {
    this.#take(number)?.resolve(json);
  }

  refuse(number: number, refusal: Refusal): void {
    this.#take(number)?.reject(refusal);
  }

  #take(number: number): Waiting | undefined {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (waiting) this.shared.turn(this);
    return waiting;
  }

  #writeError(thrown: unknown): void {
    this.shared.writer.line("E" + this.id, JSON.stringify(report(thrown, this.shared.loader.locate)));
  }

  #end(): boolean {
    if (this.#over) return false;
    this.drop();
    if (this.logs.lines.length > 0) this.shared.writer.line("L" + this.id, JSON.stringify(this.logs.lines));
    return true;
  }

  #hooks(): Hooks {
    return {
      ...this.about,
      nodeGlobals: this.about.node ? nodeGlobals() : {},
      syscall: (op, args, resolve, reject) => this.#syscall(op, args, resolve, reject),
      syncSyscall: (op, args) => this.#syncSyscall(op, args),
      log: (level, values) => this.#over ? undefined : this.logs.add(level, values),
      startTimer: (callback, milliseconds, repeats) => this.#startTimer(callback, milliseconds, repeats),
      stopTimer: (id) => {
        clearTimeout(this.#timers.get(id));
        this.#timers.delete(id);
      },
    };
  }

  #syscall(op: string, args: string, resolve: (json: string) => void, reject: (refusal: Refusal) => void): void {
    if (op === "1.0/queryStreamNext") this.#streams.next(JSON.parse(args).queryId, resolve, reject);
    else this.#ask(op, args, resolve, reject);
  }

  #ask(op: string, args: string, resolve: (json: string) => void, reject: (refusal: Refusal) => void): void {
    if (this.#over) return;
    if (this.kind === "analysis") {
      return reject({ message: "Functions of the Convex context can't be used at import time." });
    }
    if (!OPERATION.test(op) || args.includes("\n")) return reject({ message: `Unknown operation ${op}` });
    if (LONE_SURROGATE.test(args)) {
      return reject({ message: "A string is not valid Unicode: it has a lone surrogate." });
    }
    const number = ++this.#syscalls;
    this.#waiting.set(number, { resolve, reject });
    this.shared.writer.line(`S${this.id} ${number} ${op}`, args);
  }

  #syncSyscall(op: string, args: string): string {
    const { query, queryId, table, idString } = JSON.parse(args);
    if (op === "1.0/queryStream") return JSON.stringify({ queryId: this.#streams.open(query) });
    if (op === "1.0/queryCleanup") return JSON.stringify(this.#streams.close(queryId));
    if (op !== "1.0/db/normalizeId") throw new Error(`Unknown operation ${op}`);
    const number = tableNumber(String(idString));
    const fits = number !== null && Object.hasOwn(this.about.tables, table) && this.about.tables[table] === number;
    return JSON.stringify({ id: fits ? idString : null });
  }

  #startTimer(callback: () => void, milliseconds: number, repeats: boolean): number {
    const id = ++this.#timerIds;
    const fire = () => {
      if (this.#over) return;
      if (!repeats) this.#timers.delete(id);
      this.shared.turn(this);
      try {
        callback();
      } catch (thrown) {
        this.fail(thrown);
      }
    };
    if (!this.#over) this.#timers.set(id, repeats ? setInterval(fire, milliseconds) : setTimeout(fire, milliseconds));
    return id;
  }
}
