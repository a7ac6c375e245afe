// From a call message to a registered function's own invoke method, and back to a line.

import type { Call, Shared } from "./calls.ts";
import { Refused } from "./analyze.ts";
import type { Any } from "./realm/hooks.ts";
import type { CallMessage } from "./wire.ts";

const LARGEST_BODY_BYTES = 20 * 2 ** 20;

/** Never throws: what goes wrong is the call's result. */
export async function invoke(call: Call, message: CallMessage, shared: Shared): Promise<void> {
  try {
    const evaluate = shared.loader.evaluator(call.scope, message.definition, call.about.node);
    const exports = evaluate(message.module);
    if (message.kind === "httpAction") call.succeed("H", await runHttp(call, exports?.default, message));
    else call.succeed("V", await runFunction(exports, message));
  } catch (thrown) {
    call.fail(thrown);
  }
}

async function runFunction(exports: Any, message: CallMessage): Promise<string> {
  const name = message.export;
  const registered = exports !== null && exports !== undefined && Object.hasOwn(exports, name) ? exports[name] : null;
  const args = JSON.stringify([message.args]);
  const where = `${message.module.replace(/\.js$/, "")}:${name}`;
  const invoked = {
    query: () => registered.invokeQuery(args),
    mutation: () => registered.invokeMutation(args),
    action: () => registered.invokeAction("", args),
  }[message.kind as string];
  const method = `invoke${message.kind[0].toUpperCase()}${message.kind.slice(1)}`;
  if (!invoked || typeof registered?.[method] !== "function") {
    throw new Refused(`Could not find ${message.kind} function '${where}'`);
  }
  return await invoked();
}

async function runHttp(call: Call, router: Any, message: CallMessage): Promise<string> {
  const request = call.scope.request(message.request!);
  const url = new URL(message.request!.url);
  const found = router.lookup(url.pathname, message.request!.method);
  if (!found) return answer(404, [], new TextEncoder().encode(`No HttpAction routed for ${url.pathname}`));
  const response = await found[0].invokeHttpAction(request);
  if (!(response instanceof Response)) {
    throw new Refused("HTTP actions must return a Response object, but this one returned something else.");
  }
  const body = await read(response);
  return answer(response.status, [...response.headers], body);
}

/** The body, whole, with an end to patience. */
async function read(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > LARGEST_BODY_BYTES) throw new Refused("The body of the response is larger than 20 MiB.");
    parts.push(part);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function answer(status: number, headers: [string, string][], body: Uint8Array): string {
  return JSON.stringify({ status, headers, body: body.toBase64() });
}
