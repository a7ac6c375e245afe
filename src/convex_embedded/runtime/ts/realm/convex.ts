// `Convex`: the three doors through which the npm package talks to its host.

import { type Any, define, type Hooks, type Refusal } from "./hooks.ts";

export function installConvex(hooks: Hooks): void {
  const asyncSyscall = (op: string, args: string): Promise<string> =>
    new Promise((resolve, reject) => hooks.syscall(op, args, resolve, (refusal) => reject(asError(refusal))));
  const syscall = (op: string, args: string): string => {
    try {
      return hooks.syncSyscall(op, args);
    } catch (error) {
      throw new Error((error as Error).message);
    }
  };
  const jsSyscall = (op: string, args: Any): Any => {
    if (op === "storage/storeBlob") return storeBlob(args, asyncSyscall);
    if (op === "storage/getBlob") return getBlob(args, asyncSyscall);
    throw new Error(`Unknown operation ${op}`);
  };
  define("Convex", { syscall, asyncSyscall, jsSyscall });
}

function asError(refusal: Refusal): Error {
  const error: Any = new Error(refusal.message);
  if (refusal.hasData) error.data = refusal.data;
  return error;
}

async function storeBlob({ requestId, version, blob, options }: Any, ask: Any): Promise<string> {
  if (!(blob instanceof Blob)) {
    throw new Error(
      "store() expects a Blob. If you are trying to store a Request, `await request.blob()` will give you the correct input.",
    );
  }
  const bytes: Any = new Uint8Array(await blob.arrayBuffer());
  const contentType = blob.type;
  const json = JSON.stringify({ requestId, version, blob: bytes.toBase64(), contentType, sha256: options?.sha256 });
  return JSON.parse(await ask("1.0/storageStore", json));
}

async function getBlob({ requestId, version, storageId }: Any, ask: Any): Promise<Blob | null> {
  const found = JSON.parse(await ask("1.0/storageGet", JSON.stringify({ requestId, version, storageId })));
  if (found === null) return null;
  return new Blob([(Uint8Array as Any).fromBase64(found.blob)], { type: found.contentType ?? "" });
}
