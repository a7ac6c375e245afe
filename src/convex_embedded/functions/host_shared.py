"""Syscalls that every kind of function may make: identity, metadata, handles; and how operations are looked up.

A host is the trusted side of one execution: whatever arrives here was sent by generated code.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from convex_embedded.functions.frames import Frame, need
from convex_embedded.functions.nouns import CallRefused
from convex_embedded.functions.paths import make_handle, parse_address
from convex_embedded.functions.registry import Target
from convex_embedded.store import StoreError
from convex_embedded.types import FunctionKind, SyscallError

if TYPE_CHECKING:
    from convex_embedded.functions.engine import Engine

Operation = Callable[[Any, Any], Awaitable[Any]]


class Host:
    """Looks up and runs operations; the subclasses are what a transaction and what an action may do."""

    operations: ClassVar[dict[str, Operation]] = {}

    def __init__(self, engine: Engine, frame: Frame) -> None:
        self.engine = engine
        self.frame = frame
        self.component = frame.component

    async def syscall(self, op: str, args: Any) -> Any:
        """See convex_embedded.types.SyscallHost."""
        operation = self.operations.get(op)
        if operation is None:
            raise SyscallError(f"Unknown async operation {op[:100]}")
        if not isinstance(args, dict):
            raise SyscallError(f"Invalid arguments of {op}.")
        try:
            return await operation(self, args)
        except (StoreError, CallRefused) as error:
            raise SyscallError(str(error)) from error

    def resolve(self, args: Any) -> Target:
        """The function that a syscall names."""
        return self.engine.registry.resolve(self.component, parse_address(args))

    async def get_user_identity(self, args: Any) -> Any:
        user = self.frame.identity.user
        return None if user is None else dict(user)

    async def get_function_metadata(self, args: Any) -> Any:
        return {"name": self.frame.target.path.shown, "componentPath": self.component}

    async def get_deployment_metadata(self, args: Any) -> Any:
        return {"name": "embedded", "region": None, "class": "s16"}

    async def get_request_metadata(self, args: Any) -> Any:
        call = self.frame.call
        return {
            "ip": call.ip,
            "userAgent": call.user_agent,
            "requestId": call.request_id,
            "scheduledFunctionId": call.scheduled_id,
            "authToken": None,
        }

    async def create_function_handle(self, args: Any) -> Any:
        target = self.resolve(args)
        return make_handle(target.component, target.path)

    async def audit_log(self, args: Any) -> Any:
        return None

    async def refuse_service(self, args: Any) -> Any:
        raise SyscallError("This deployment has no Convex-managed services and signs no tokens.")


SHARED_OPERATIONS: dict[str, Operation] = {
    "1.0/getUserIdentity": Host.get_user_identity,
    "1.0/getFunctionMetadata": Host.get_function_metadata,
    "1.0/getDeploymentMetadata": Host.get_deployment_metadata,
    "1.0/getRequestMetadata": Host.get_request_metadata,
    "1.0/createFunctionHandle": Host.create_function_handle,
    "1.0/auditLog": Host.audit_log,
    "1.0/signJwt": Host.refuse_service,
    "1.0/createServiceToken": Host.refuse_service,
    "1.0/getServiceUrl": Host.refuse_service,
}


def schedulable(target: Target) -> None:
    """Raises SyscallError for what cannot be scheduled."""
    kinds: tuple[FunctionKind, ...] = ("mutation", "action")
    if target.spec.kind not in kinds:
        raise SyscallError(f"Cannot schedule '{target.path.shown}': only mutations and actions can be scheduled.")


def due_ms(args: Any) -> float:
    """`ts` of a schedule syscall, seconds, as milliseconds."""
    seconds = args.get("ts")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds):
        return float(seconds) * 1000.0
    raise SyscallError("Invalid time for a scheduled function.")


def call_args(args: Any) -> dict[str, Any]:
    """The arguments object inside a run or schedule syscall."""
    given = args.get("args", {})
    if isinstance(given, list) and len(given) <= 1:
        given = given[0] if given else {}
    if not isinstance(given, dict):
        raise SyscallError("Arguments of a Convex function must be an object.")
    return given


def user_table(args: Any) -> str:
    """`table` of a write. Raises SyscallError: generated code may not write system tables."""
    table = need(args, "table", str)
    if table.startswith("_"):
        raise SyscallError("System tables (prefixed with `_`) are read-only.")
    return str(table)
