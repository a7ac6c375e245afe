"""Generated code at arm's length: one Deno process a deployment, a pipe, a watchdog and a proxy for `fetch`.

    runtime = build(esbuild, node_modules, out)                 # convex_embedded.runtime, once; a BuiltRuntime
    proxy = Proxy(allow=("127.0.0.1:4010", "api.example.com"))  # host:port, or host: ports 80 and 443; () = nothing
    proxy.admit("127.0.0.1:3210")                               # later too: the deployment's own URLs, fixtures
    sandbox = Sandbox(runtime, limits, proxy)
    analysis = await sandbox.load(push)             # DeployError: the code's fault, the old stays; SandboxError: ours
    result = await sandbox.call(invocation, host)   # code can not make it raise; SandboxError: no process starts
    await sandbox.close()

`host` (`convex_embedded.types.SyscallHost`) gets each operation of the npm package except `1.0/queryStream`,
`1.0/queryCleanup`, `1.0/queryStreamNext` and `1.0/db/normalizeId`, which the runtime answers itself, plus:

    "queryBatch" {"query", "cursor": str|None, "size": int} -> {"documents": [ConvexJson…], "cursor": str|None}
    (a cursor of None in the answer = exhausted)

Actions store and read blobs by the same operations as mutations:
`1.0/storageStore` {blob: base64, contentType, sha256?} -> id and
`1.0/storageGet` {storageId} -> {"blob": base64, "contentType": str|None} | None.

Syscalls of a query or mutation reach the host one at a time, in the order they were issued, and those that the function
did not wait for may be dropped at its end; those of an action run concurrently. An exception of the host that is not a
SyscallError ends the call: `sandbox.call` raises it. A host may call `sandbox.call` again from inside `syscall` (nested
functions). Cancelling `sandbox.call` drops the call.

`CallError.kind`: "user" (a JavaScript error), "timeout" (CPU or wall seconds, or a promise that can never settle),
"memory", "crash" (the process ended: an exit, or another call's timeout or memory took it down; a query or mutation may
be tried again in a new transaction), "limit" (result or output too big). The next call finds a fresh process.
"""

from convex_embedded.sandbox.box import Sandbox
from convex_embedded.sandbox.nouns import (
    Analysis,
    ChildComponent,
    ComponentDefinition,
    CronSpec,
    DefinitionAnalysis,
    EnvBinding,
    EnvDeclaration,
    FetchRequest,
    FetchResponse,
    HttpRoute,
    Invocation,
)
from convex_embedded.sandbox.proxy import FetchFailed, Proxy

__all__ = [
    "Analysis",
    "ChildComponent",
    "ComponentDefinition",
    "CronSpec",
    "DefinitionAnalysis",
    "EnvBinding",
    "EnvDeclaration",
    "FetchFailed",
    "FetchRequest",
    "FetchResponse",
    "HttpRoute",
    "Invocation",
    "Proxy",
    "Sandbox",
]
