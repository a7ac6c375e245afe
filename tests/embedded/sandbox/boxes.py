"""A sandbox with a few functions in it, and a host that answers from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from convex_embedded.runtime import BuiltRuntime
from convex_embedded.sandbox import Analysis, Invocation, Proxy, Sandbox
from convex_embedded.types import CallResult, FunctionKind, Limits, Push, SyscallError

NOW_MS = 1_700_000_000_000.0
_NAMES = (
    "queryGeneric as query, mutationGeneric as mutation, actionGeneric as action, httpActionGeneric as httpAction, "
    "internalMutationGeneric as internalMutation, httpRouter, cronJobs, defineSchema, defineTable, defineApp, "
    "defineComponent, makeFunctionReference, componentsGeneric"
)
SERVER = f"""import {{ {_NAMES} }} from "convex/server"; import {{ v, ConvexError }} from "convex/values";
"""
"""What generated code imports, in one line."""


class Host:
    """Answers from a table of handlers, records what was asked."""

    def __init__(self, **handlers: Callable[[Any], Any]) -> None:
        self.handlers = handlers
        self.asked: list[tuple[str, Any]] = []
        self.was_asked = asyncio.Event()

    async def syscall(self, op: str, args: Any) -> Any:
        self.asked.append((op, args))
        self.was_asked.set()
        handler = self.handlers.get(op.rpartition("/")[2])
        if handler is None:
            raise SyscallError(f"no such operation: {op}")
        answer = handler(args)
        return await answer if isinstance(answer, Awaitable) else answer

    @property
    def ops(self) -> list[str]:
        return [op for op, _ in self.asked]


class Box:
    """A sandbox, and short ways to use it."""

    def __init__(self, runtime: BuiltRuntime, make_push: Callable[..., Push], limits: Limits) -> None:
        self.proxy = Proxy()
        self.limits = limits
        self.sandbox = Sandbox(runtime, limits, self.proxy)
        self._make_push = make_push

    async def load(self, source: str | dict[str, str], **more: Any) -> Analysis:
        """One module "m.ts" with the usual imports, or files as they are."""
        files = {"m.ts": SERVER + source} if isinstance(source, str) else source
        return await self.sandbox.load(self._make_push(files, **more))

    async def call(self, export: str, host: Host | None = None, **parts: Any) -> CallResult:
        kind: FunctionKind = parts.pop("kind", "query")
        about: dict[str, Any] = {"definition_path": "", "module": "m.js", "now_ms": NOW_MS, "seed": 7, **parts}
        return await self.sandbox.call(Invocation(export=export, kind=kind, **about), host or Host())

    async def value(self, export: str, host: Host | None = None, **parts: Any) -> Any:
        result = await self.call(export, host, **parts)
        assert result.error is None, result.error
        return result.value
