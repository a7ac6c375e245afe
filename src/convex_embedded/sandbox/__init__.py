"""Generated code at arm's length: one Deno process a deployment, a pipe, a watchdog and a proxy for `fetch`.

    runtime = build(esbuild, node_modules, out)                     # convex_embedded.runtime.build, once; BuiltRuntime(main, provided)
    proxy = Proxy(allow=("127.0.0.1:4010", "api.example.com"))      # host:port (or host: ports 80 and 443); () = nothing
    proxy.admit("127.0.0.1:3210")                                   # later too: the deployment's own URLs, fixtures
    sandbox = Sandbox(runtime, limits, proxy)
    analysis = await sandbox.load(push)        # DeployError: the code's fault; SandboxError: ours. The old code stays loaded after a DeployError.
    result = await sandbox.call(invocation, host)   # never raises for what code does; SandboxError when no process can be started
    await sandbox.close()

`host` (`convex_embedded.types.SyscallHost`) gets each operation of the npm package except `1.0/queryStream`, `1.0/queryCleanup`,
`1.0/queryStreamNext` and `1.0/db/normalizeId`, which the runtime answers itself, plus:

    "queryBatch" {"query", "cursor": str|None, "size": int} -> {"documents": [ConvexJson…], "cursor": str|None}    # None = exhausted

Actions store and read blobs by the same operations as mutations: `1.0/storageStore` {blob: base64, contentType, sha256?} -> id and
`1.0/storageGet` {storageId} -> {"blob": base64, "contentType": str|None} | None.

Syscalls of a query or mutation reach the host one at a time, in the order they were issued; those of an action run concurrently.
An exception of the host that is not a SyscallError ends the call with that exception: `sandbox.call` raises it. A host may call
`sandbox.call` again from inside `syscall` (nested functions). Cancelling `sandbox.call` drops the call.

`CallError.kind`: "user" (a JavaScript error), "timeout" (limit of CPU seconds or wall seconds, or a promise that can never settle),
"memory", "crash" (the process ended: exit, or another call's timeout or memory took it down. A query or mutation may be
tried again in a new transaction), "limit" (arguments, result or output too big). After any of them the next call finds a fresh process.
"""

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

__all__ = [
    "Analysis",
    "ChildComponent",
    "ComponentDefinition",
    "CronSpec",
    "DefinitionAnalysis",
    "EnvBinding",
    "EnvDeclaration",
    "FetchRequest",
    "FetchResponse",
    "HttpRoute",
    "Invocation",
]
