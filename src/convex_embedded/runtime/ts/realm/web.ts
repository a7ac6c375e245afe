// The web's names, as far as Convex's default runtime has them. The host's classes serve as they are; those that would
// hand out objects of the host's realm (json(), clone()) are extended.

import { structuredClone } from "./clone.ts";
import { type Any, define, type Hooks, type Realm } from "./hooks.ts";

const AS_THEY_ARE = [
  "TextEncoder",
  "TextDecoder",
  "TextEncoderStream",
  "TextDecoderStream",
  "URL",
  "URLSearchParams",
  "URLPattern",
  "Blob",
  "File",
  "FormData",
  "Headers",
  "ReadableStream",
  "ReadableStreamDefaultReader",
  "ReadableStreamBYOBReader",
  "ReadableStreamDefaultController",
  "ReadableByteStreamController",
  "WritableStream",
  "WritableStreamDefaultWriter",
  "TransformStream",
  "ByteLengthQueuingStrategy",
  "CountQueuingStrategy",
  "CompressionStream",
  "DecompressionStream",
  "AbortController",
  "AbortSignal",
  "Event",
  "EventTarget",
  "CustomEvent",
  "ErrorEvent",
  "MessageEvent",
  "DOMException",
  "Crypto",
  "CryptoKey",
  "SubtleCrypto",
];

/** Filled in when the realm's call begins. */
export interface Bridge {
  syscall: Hooks["syscall"] | null;
}

export function installWeb(host: Record<string, Any>, AsyncLocalStorage: Any, bridge: Bridge): Pick<Realm, "request"> {
  for (const name of AS_THEY_ARE) define(name, host[name]);
  define("AsyncLocalStorage", AsyncLocalStorage);
  define("self", globalThis);
  define("structuredClone", structuredClone);
  define("atob", (text: string) => host.atob(text));
  define("btoa", (text: string) => host.btoa(text));
  define("queueMicrotask", (callback: () => void) => {
    if (typeof callback !== "function") throw new TypeError("The callback must be a function.");
    void Promise.resolve().then(callback);
  });
  define("performance", { now: () => host.performance.now(), timeOrigin: host.performance.timeOrigin });
  define("crypto", {
    subtle: host.crypto.subtle,
    getRandomValues: (view: Any) => host.crypto.getRandomValues(view),
    randomUUID: () => host.crypto.randomUUID(),
  });
  const { Request, Response } = messages(host);
  define("Request", Request);
  define("Response", Response);
  define("fetch", fetcher(bridge, Request, Response));
  return {
    request: ({ method, url, headers, body }) => {
      const bodiless = method === "GET" || method === "HEAD" || body === "";
      return new Request(url, { method, headers, body: bodiless ? null : (Uint8Array as Any).fromBase64(body) });
    },
  };
}

/** Request and Response whose objects belong to this realm. */
function messages(host: Record<string, Any>): { Request: Any; Response: Any } {
  class Request extends host.Request {
    async json() {
      return JSON.parse(await this.text());
    }
    clone() {
      return Object.setPrototypeOf(super.clone(), Request.prototype);
    }
  }
  class Response extends host.Response {
    async json() {
      return JSON.parse(await this.text());
    }
    clone() {
      return Object.setPrototypeOf(super.clone(), Response.prototype);
    }
    static json(data: unknown, init?: Any) {
      return Object.setPrototypeOf(host.Response.json(data, init), Response.prototype);
    }
    static redirect(url: string, status?: number) {
      return Object.setPrototypeOf(host.Response.redirect(url, status), Response.prototype);
    }
    static error() {
      return Object.setPrototypeOf(host.Response.error(), Response.prototype);
    }
  }
  return { Request, Response };
}

const BODILESS = new Set([101, 103, 204, 205, 304]);

function fetcher(bridge: Bridge, Request: Any, Response: Any): Any {
  return async function fetch(input: unknown, init?: Any): Promise<Any> {
    const request = new Request(input, init);
    const signal: AbortSignal = request.signal;
    signal.throwIfAborted();
    const bytes: Any = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
    const args = JSON.stringify({
      url: request.url,
      method: request.method,
      headers: [...request.headers],
      body: bytes === null ? null : bytes.toBase64(),
      redirect: request.redirect,
    });
    const answer = await new Promise<Any>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      const refuse = (refusal: Any) => reject(new TypeError(refusal.message));
      bridge.syscall!("fetch", args, (json) => resolve(JSON.parse(json)), refuse);
    });
    const { url, status, statusText, headers, body, redirected } = answer;
    const content = BODILESS.has(status) ? null : (Uint8Array as Any).fromBase64(body);
    const response = new Response(content, { status, statusText, headers });
    Object.defineProperties(response, { url: { value: url }, redirected: { value: redirected } });
    return response;
  };
}
