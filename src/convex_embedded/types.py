"""The nouns that cross the rooms of the embedded backend. No I/O here.

`Push` comes in from whoever bundles a project; `Sandbox` is the seam to the untrusted side: everything that
it returns was computed by generated code and is treated as input, not as truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Environment = Literal["isolate", "node"]
FunctionKind = Literal["query", "mutation", "action", "httpAction"]
ConvexJson = Any
"""A Convex value in the wire encoding: JSON with {"$integer"}, {"$float"}, {"$bytes"} for what JSON lacks."""


@dataclass(frozen=True)
class Module:
    """One bundled entry point."""

    path: str
    """Canonical, relative to the functions folder: "messages.js", "dir/util.js", "convex.config.js", "schema.js"."""
    source: str
    """A script in CommonJS form: it is evaluated with `module`, `exports` and `require` in scope, once per call."""
    environment: Environment = "isolate"
    source_map: str | None = None
    positions: Mapping[str, int] = field(default_factory=dict)
    """Exported name → line of its definition in the original source, for the order of the function spec."""
    original: str | None = None
    """Path of the source file as errors show it, e.g. "convex/messages.ts"."""


@dataclass(frozen=True)
class ComponentSource:
    """The modules of one component definition; the app is the one with the empty path."""

    definition_path: str
    """"" for the app, else a stable path such as "components/counter" or "@convex-dev/counter"."""
    modules: tuple[Module, ...]
    children: Mapping[str, str] = field(default_factory=dict)
    """What `require` is called with in convex.config.js for a child → the child's definition path."""


@dataclass(frozen=True)
class Push:
    """All that one deploy brings."""

    app: ComponentSource
    components: tuple[ComponentSource, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What one deployment may use. Seconds are CPU seconds unless the name says wall."""

    query_seconds: float = 1.0
    mutation_seconds: float = 1.0
    action_wall_seconds: float = 600.0
    deploy_wall_seconds: float = 20.0
    memory_mib: int = 512
    log_lines: int = 256
    log_line_bytes: int = 4096
    storage_mib: int = 256


@dataclass(frozen=True)
class FunctionSpec:
    """One registered function, as analysis found it."""

    module: str
    name: str
    kind: FunctionKind
    visibility: Literal["public", "internal"]
    args: ConvexJson
    """Validator JSON, {"type": "any"} when there is none."""
    returns: ConvexJson
    line: int = 0


@dataclass(frozen=True)
class CallError:
    """A JavaScript error as it left generated code."""

    message: str
    """"Uncaught Error: text" and mapped stack lines, as a developer sees it."""
    data: ConvexJson | None = None
    """ConvexError data; see has_data, since null is a value."""
    has_data: bool = False
    kind: Literal["user", "timeout", "memory", "crash", "limit"] = "user"


@dataclass(frozen=True)
class HttpRequest:
    """A request to the site port, as an HTTP action sees it."""

    method: str
    url: str
    """Absolute, with query string."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class HttpResponse:
    """What an HTTP action answered, body read to its end."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class CallResult:
    """What became of one call into the sandbox."""

    value: ConvexJson = None
    error: CallError | None = None
    log_lines: tuple[str, ...] = ()
    http: HttpResponse | None = None
    """Of an httpAction that did not fail."""
    fetched: tuple[str, ...] = ()
    """URLs that the call asked the proxy for, in order, refused ones included."""
    cpu_seconds: float = 0.0
    """Sampled, 0 for calls shorter than a sample."""


class SyscallError(Exception):
    """The trusted side refuses a syscall; the text becomes the message of the Error that generated code sees.

    `data`/`has_data`: set for a ConvexError that crosses a runQuery/runMutation/runAction boundary.
    """

    def __init__(self, message: str, *, data: ConvexJson = None, has_data: bool = False) -> None:
        super().__init__(message)
        self.data = data
        self.has_data = has_data


class SyscallHost(Protocol):
    """The trusted side of one call: answers what generated code asks for. One per call, bound to its transaction."""

    async def syscall(self, op: str, args: Any) -> Any:
        """`op` as in the npm package convex ("1.0/get"), args and answer as decoded JSON. Raises SyscallError."""
        ...


class DeployError(Exception):
    """The pushed code is refused: message as a Convex developer would recognise it, with file and line."""


class SandboxError(Exception):
    """The sandbox could not be started or broke without generated code being at fault."""
