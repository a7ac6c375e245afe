"""The nouns of a function call: who calls, what is called, what became of it. Frozen data, no behaviour."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from convex_embedded.types import ConvexJson, FunctionKind

UdfType = Literal["Query", "Mutation", "Action", "HttpAction"]
UDF_TYPES: Mapping[FunctionKind, UdfType] = {
    "query": "Query",
    "mutation": "Mutation",
    "action": "Action",
    "httpAction": "HttpAction",
}
"""How specs, logs and error texts name a kind."""


def new_request_id() -> str:
    """16 hex digits, as error texts show them."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class FunctionPath:
    """A function inside one component."""

    module: str
    """Canonical: "dir/mod.js"."""
    name: str
    """Export name, "default" for the default export."""

    @property
    def identifier(self) -> str:
        """ "dir/mod.js:fn", as the function spec and the scheduler's table show it."""
        return f"{self.module}:{self.name}"

    @property
    def shown(self) -> str:
        """ "dir/mod:fn", as error texts show it."""
        return f"{self.module.removesuffix('.js')}:{self.name}"


@dataclass(frozen=True)
class Identity:
    """Who calls. The default is an unauthenticated client."""

    admin: bool = False
    """Holds the admin key: may call internal functions, components and system functions."""
    user: Mapping[str, Any] | None = None
    """Attributes that ctx.auth.getUserIdentity() shows, tokenIdentifier included; None = not logged in."""


ANONYMOUS = Identity()


@dataclass(frozen=True)
class Call:
    """One call from outside: a client, the scheduler or a cron."""

    path: str
    """As the caller wrote it: "mod:fn", "dir/mod.js:fn", "mod" (default export), "_system/…"."""
    args: ConvexJson
    """The arguments object, or the one-element list around it that clients send."""
    identity: Identity = ANONYMOUS
    component: str = ""
    """Path of the component instance, "" for the app. Only admins and the deployment itself leave the app."""
    internal: bool = False
    """The deployment itself calls (scheduler, cron): internal functions are allowed."""
    request_id: str = field(default_factory=new_request_id)
    ip: str | None = None
    user_agent: str | None = None
    scheduled_id: str | None = None
    """Id in _scheduled_functions of the job that runs, if one does."""


@dataclass(frozen=True)
class Failure:
    """Why a call failed, as the developer sees it, without the request id."""

    message: str
    """ "Uncaught Error: text" and stack lines, "ArgumentValidationError: …", "Could not find …"."""
    data: ConvexJson = None
    has_data: bool = False
    """A ConvexError was thrown; its data may be null."""


@dataclass(frozen=True)
class Outcome:
    """What became of one call from outside."""

    request_id: str
    value: ConvexJson = None
    failure: Failure | None = None
    log_lines: tuple[str, ...] = ()
    ts_ns: int = 0
    """Commit timestamp of a mutation, snapshot timestamp of a query."""
    journal: str | None = None
    """Where a paginated query ended, to be given back when it runs again."""

    @property
    def error_text(self) -> str:
        """What a client is told: development deployments do not redact."""
        assert self.failure is not None, "error_text of a call that succeeded"
        return f"[Request ID: {self.request_id}] Server Error\n{self.failure.message}"


class CallRefused(Exception):
    """A call that cannot start: unknown function, wrong kind, arguments that are no object. Becomes a Failure."""
