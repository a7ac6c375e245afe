"""The nouns of the sandbox: what one call needs, and what analysis found in pushed code.

All of `Analysis` was computed by generated code: shapes are checked here, meaning is the trusted side's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from convex_embedded.types import ConvexJson, FunctionKind, FunctionSpec, HttpRequest


@dataclass(frozen=True)
class Invocation:
    """One call of a registered function; visibility and validators are checked by the trusted side."""

    definition_path: str
    """"" for the app, else the component definition whose code runs."""
    module: str
    """Canonical: "messages.js"; "http.js" for an httpAction."""
    export: str
    """"default" for an httpAction: the router finds the handler by the request's method and path."""
    kind: FunctionKind
    now_ms: float
    """Unix milliseconds that a query or mutation sees all along; actions read the clock."""
    seed: int
    """Of Math.random in queries and mutations."""
    args: ConvexJson = field(default_factory=dict)
    """The arguments object."""
    env: Mapping[str, str] = field(default_factory=dict)
    """process.env as the code sees it, CONVEX_CLOUD_URL and CONVEX_SITE_URL included."""
    tables: Mapping[str, int] = field(default_factory=dict)
    """Table name → number in this component instance (`store.table_numbers`), for normalizeId."""
    request: HttpRequest | None = None
    """Of an httpAction."""


@dataclass(frozen=True)
class HttpRoute:
    """One route of http.ts, in the order of `getRoutes()`."""

    path: str
    """"/exact" or "/prefix/*"."""
    method: str


@dataclass(frozen=True)
class CronSpec:
    """One job of crons.ts."""

    name: str
    function: str
    """As the npm package names it: "mod:fn", or "dir/mod:fn"."""
    args: ConvexJson
    """Array with one arguments object."""
    schedule: Mapping[str, Any]
    """{"type": "interval", "seconds": 60}, {"type": "cron", "cron": "…"}, {"type": "daily", "hourUTC": 3} …"""


@dataclass(frozen=True)
class EnvBinding:
    """What a child's environment variable is bound to in `app.use(child, {env})`."""

    value: str | None = None
    variable: str | None = None
    """Name of a variable of the parent, when not a literal value."""


@dataclass(frozen=True)
class EnvDeclaration:
    """An environment variable that defineApp or defineComponent declares."""

    validator: ConvexJson
    optional: bool = False


@dataclass(frozen=True)
class ChildComponent:
    """One `use(child, …)` of a component definition."""

    name: str
    definition_path: str
    env: Mapping[str, EnvBinding] = field(default_factory=dict)
    http_prefix: str | None = None
    """Ends with a slash; None = the child's routes are not mounted."""


@dataclass(frozen=True)
class ComponentDefinition:
    """convex.config.ts, evaluated; the empty one when there is none."""

    name: str | None = None
    """Default name of a component; None for the app."""
    children: tuple[ChildComponent, ...] = ()
    env: Mapping[str, EnvDeclaration] = field(default_factory=dict)
    declares_env: bool = False
    """False when no `env` option was given, which is not the same as an empty one."""
    http_prefix: str | None = None
    """Where the app's own routes are mounted, with a slash at the end; None = at the root."""


@dataclass(frozen=True)
class DefinitionAnalysis:
    """What the modules of one component definition declare."""

    definition_path: str
    schema: ConvexJson | None = None
    """Parsed `defineSchema(...).export()`, None without schema.ts."""
    functions: tuple[FunctionSpec, ...] = ()
    """Modules in path order, functions of a module in order of source position; HTTP actions are not among them."""
    has_http: bool = False
    """http.ts exists, even with no routes."""
    http_routes: tuple[HttpRoute, ...] = ()
    crons: tuple[CronSpec, ...] = ()
    definition: ComponentDefinition = field(default_factory=ComponentDefinition)


@dataclass(frozen=True)
class Analysis:
    """Everything that one push declares."""

    definitions: Mapping[str, DefinitionAnalysis]
    """By definition path; "" is the app and always there."""

    @property
    def app(self) -> DefinitionAnalysis:
        return self.definitions[""]


@dataclass(frozen=True)
class FetchRequest:
    """A `fetch` that generated code asks for, body read to its end."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    redirect: str = "follow"
    """"follow", "error" or "manual"."""


@dataclass(frozen=True)
class FetchResponse:
    """What came back, body read to its end."""

    url: str
    status: int
    status_text: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    redirected: bool = False
