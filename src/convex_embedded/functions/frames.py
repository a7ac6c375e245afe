"""One execution of a function: what is called, for whom, inside what. Shared by the hosts and the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convex_embedded.functions.evidence import Trace
from convex_embedded.functions.nouns import Call, CallRefused, Failure, Identity
from convex_embedded.functions.registry import Target
from convex_embedded.types import ConvexJson, SyscallError

MAX_DEPTH = 32
"""Functions that call functions; each level holds a context of its own in the sandbox."""


@dataclass(frozen=True)
class Frame:
    """One execution."""

    target: Target
    args: ConvexJson
    identity: Identity
    call: Call
    """The call from outside in which this happens."""
    trace: Trace
    entries: list[dict[str, Any]]
    """Where the evidence of this and of nested executions goes, innermost first."""
    depth: int = 0

    @property
    def component(self) -> str:
        return self.target.component

    def nested(self, target: Target, args: ConvexJson) -> Frame:
        """An execution inside this one. Identity stays within a component. Raises CallRefused when nested too deep."""
        if self.depth >= MAX_DEPTH:
            raise CallRefused(f"Functions may call functions at most {MAX_DEPTH} deep.")
        self.trace.calls.append(target.path.identifier)
        identity = self.identity if target.component == self.component else Identity()
        trace = Trace(target.path.identifier, target.component, target.spec.kind, self.call.request_id, self.trace)
        return Frame(target, args, identity, self.call, trace, self.entries, self.depth + 1)


@dataclass(frozen=True)
class Execution:
    """How one execution ended."""

    value: ConvexJson = None
    failure: Failure | None = None
    log_lines: tuple[str, ...] = ()

    def value_or_raise(self) -> ConvexJson:
        """The value, or the failure as the calling function sees it: a ConvexError keeps its data."""
        if self.failure is not None:
            raise SyscallError(self.failure.message, data=self.failure.data, has_data=self.failure.has_data)
        return self.value


def need(args: Any, name: str, kind: type) -> Any:
    """A required field of a syscall's arguments. Raises SyscallError: the caller is generated code."""
    value = args.get(name) if isinstance(args, dict) else None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise SyscallError(f"Invalid syscall argument `{name}`.")
    return value


def maybe(args: Any, name: str, kind: type) -> Any:
    """An optional field of a syscall's arguments. Raises SyscallError."""
    return None if args.get(name) is None else need(args, name, kind)
