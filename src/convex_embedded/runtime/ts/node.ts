// What a "use node" module has beyond the default runtime. Permissions are the process's: there are none.

import process from "node:process";

// deno-lint-ignore no-explicit-any
export function nodeGlobals(): Record<string, any> {
  const { Buffer } = process.getBuiltinModule("node:buffer");
  return { process, Buffer };
}
