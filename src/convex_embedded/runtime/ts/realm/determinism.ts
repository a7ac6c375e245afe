// Queries and mutations see one moment, one stream of random numbers and no outside world, so that they can be re-run.

import { type Any, define, type Hooks } from "./hooks.ts";

const DOCS = "Please consider using an action. See https://docs.convex.dev/functions/actions for more details.";

export function installDeterminism(hooks: Hooks, host: Record<string, Any>): void {
  if (hooks.kind === "action" || hooks.kind === "httpAction") {
    installTimers(hooks);
    return;
  }
  const where = hooks.kind === "analysis" ? "at import time" : "in queries and mutations";
  for (const name of ["fetch", "setTimeout", "setInterval", "setImmediate"]) {
    const shown = name === "fetch" ? "fetch()" : name;
    define(name, () => {
      throw new Error(`Can't use ${shown} ${where}. ${DOCS}`);
    });
  }
  define("clearTimeout", () => {});
  define("clearInterval", () => {});
  const random = generator(hooks.seed);
  define("crypto", seededCrypto(host, random));
  Math.random = random;
  freezeClock(hooks.now);
}

function installTimers(hooks: Hooks): void {
  const start = (repeats: boolean) => (callback: unknown, milliseconds: unknown, ...args: unknown[]) => {
    if (typeof callback !== "function") throw new TypeError("The callback must be a function.");
    const id = hooks.startTimer(() => callback(...args), Number(milliseconds) || 0, repeats);
    return hooks.node ? nodeTimer(id) : id;
  };
  const stop = (timer: unknown) => hooks.stopTimer(Number(timer));
  define("setTimeout", start(false));
  define("setInterval", start(true));
  define("clearTimeout", stop);
  define("clearInterval", stop);
  if (hooks.node) {
    define("setImmediate", (callback: unknown, ...args: unknown[]) => start(false)(callback, 0, ...args));
    define("clearImmediate", stop);
  }
}

function nodeTimer(id: number): object {
  const timer = { ref: () => timer, unref: () => timer, hasRef: () => true, [Symbol.toPrimitive]: () => id };
  return timer;
}

function freezeClock(now: number): void {
  const Real = Date as Any;
  const ordinary = Real[Symbol.hasInstance];
  function Frozen(...args: unknown[]): unknown {
    if (!new.target) return new Real(now).toString();
    return Reflect.construct(Real, args.length === 0 ? [now] : args, new.target);
  }
  Object.defineProperties(Frozen, Object.getOwnPropertyDescriptors(Real));
  Object.defineProperty(Frozen, "name", { value: "Date" });
  Object.defineProperty(Frozen, Symbol.hasInstance, {
    value(this: unknown, candidate: unknown): boolean {
      return ordinary.call(this === Frozen ? Real : this, candidate);
    },
    configurable: true,
  });
  Object.defineProperty(Frozen, "now", { value: () => now, writable: true, configurable: true });
  Real.prototype.constructor = Frozen;
  define("Date", Frozen);
  define("performance", { now: () => 0, timeOrigin: now, toJSON: () => ({ timeOrigin: now }) });
  // Without an argument these would read the real clock.
  const format = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, "format")!;
  Object.defineProperty(Intl.DateTimeFormat.prototype, "format", {
    ...format,
    get(this: Intl.DateTimeFormat) {
      const own = format.get!.call(this);
      return (date?: unknown) => own(date === undefined ? now : date);
    },
  });
  const parts = Intl.DateTimeFormat.prototype.formatToParts;
  Intl.DateTimeFormat.prototype.formatToParts = function (date?: Any) {
    return parts.call(this, date === undefined ? now : date);
  };
}

/** xoshiro128** seeded by splitmix32: even, fast, and a pure function of the seed. */
function generator(seed: number): () => number {
  let mix = seed >>> 0;
  const next = () => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix ^ (mix >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [next(), next(), next(), next() ^ Math.floor(seed / 2 ** 32)];
  const word = () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
  return () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

function seededCrypto(host: Record<string, Any>, random: () => number): object {
  const getRandomValues = (view: Any) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random() * 256);
    return view;
  };
  const randomUUID = () => {
    const bytes = getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = bytes.toHex();
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  };
  return { subtle: host.crypto.subtle, getRandomValues, randomUUID };
}
