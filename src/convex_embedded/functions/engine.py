"""Runs functions: validation around the sandbox, transactions around queries and mutations, effects after commits.

Transactions are optimistic: a mutation that lost a race runs again, alone. Only the attempt that counts is logged.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from convex_embedded.functions.clock import Clock
from convex_embedded.functions.evidence import FunctionLog
from convex_embedded.functions.files import FileShelf
from convex_embedded.functions.frames import Execution, Frame
from convex_embedded.functions.gate import Gate
from convex_embedded.functions.host_action import ActionHost
from convex_embedded.functions.host_transaction import TransactionHost
from convex_embedded.functions.jobs import Effects, Job
from convex_embedded.functions.nouns import Failure
from convex_embedded.functions.registry import Instance, Registry
from convex_embedded.sandbox import Invocation, Sandbox
from convex_embedded.store import Commit, Conflict, Store, StoreError, Transaction, decode
from convex_embedded.types import CallError, CallResult, ConvexJson, HttpRequest, SandboxError, SyscallHost

MUTATIONS_AT_ONCE = 16
MUTATION_ATTEMPTS = 8
CRASH_ATTEMPTS = 3
"""A process that another call took down costs a query or mutation nothing but time."""


class Claim(Protocol):
    """What else must hold for a mutation to count, in its own transaction."""

    def begin(self, tx: Transaction) -> bool: ...

    def end(self, tx: Transaction) -> None: ...


class Crashed(Exception):
    """The sandbox's process ended under a query or mutation that had no part in it."""


@dataclass
class Engine:
    """The parts of one deployment that hosts, scheduler and system functions share."""

    store: Store
    sandbox: Sandbox
    files: FileShelf
    url: str
    site_url: str
    clock: Clock = field(default_factory=Clock)
    log: FunctionLog = field(default_factory=FunctionLog)
    env: dict[str, str] = field(default_factory=dict)
    registry: Registry = field(default_factory=Registry.empty)
    on_commit: Callable[[Commit], None] = lambda commit: None
    schedule: Callable[[Sequence[Job]], None] = lambda jobs: None
    _sequence: int = 0
    _gate: Gate = field(default_factory=lambda: Gate(MUTATIONS_AT_ONCE))

    def next_sequence(self) -> int:
        """Order among jobs that are due at the same time."""
        self._sequence += 1
        return self._sequence

    def upload_url(self, component: str) -> str:
        """Where one may post a file for the component."""
        return f"{self.url}/api/storage/upload?token={self.files.issue_token(component, self.clock.now_ms())}"

    def committed(self, commit: Commit) -> None:
        """Tell live queries; to be called in the same step as the commit."""
        if commit.writes:
            self.on_commit(commit)

    def environment(self, instance: Instance) -> Mapping[str, str]:
        """process.env of an instance: all variables for the app, only bound ones for a component."""
        own = {"CONVEX_CLOUD_URL": self.url, "CONVEX_SITE_URL": self.site_url}
        if instance.parent is None:
            return {**self.env, **own}
        outer = self.environment(self.registry.instances[instance.parent])
        bound = {
            name: binding.value if binding.value is not None else outer.get(binding.variable or "")
            for name, binding in instance.env.items()
        }
        return {**{name: value for name, value in bound.items() if value is not None}, **own}

    # One execution

    async def execute(self, frame: Frame, host: SyscallHost) -> Execution:
        """Arguments checked, code run, result checked. Raises Crashed, SandboxError and what the host raises."""
        target, trace = frame.target, frame.trace
        problem = self._misfit(frame, target.spec.args, frame.args)
        if problem is not None:
            return Execution(failure=Failure(f"ArgumentValidationError: {problem}"))
        result = await self.sandbox.call(self._invocation(frame), host)
        trace.fetched, trace.log_lines = result.fetched, result.log_lines
        if result.error is not None:
            if result.error.kind == "crash" and target.spec.kind in ("query", "mutation"):
                raise Crashed(result.error.message)
            return Execution(failure=failure_of(result.error), log_lines=result.log_lines)
        problem = self._misfit(frame, target.spec.returns, result.value)
        if problem is not None:
            return Execution(failure=Failure(f"ReturnsValidationError: {problem}"), log_lines=result.log_lines)
        return Execution(result.value, log_lines=result.log_lines)

    def _misfit(self, frame: Frame, validator: ConvexJson, value: ConvexJson) -> str | None:
        try:
            return self.store.validate(frame.component, validator, decode(value))
        except StoreError as error:
            return str(error)

    def _invocation(self, frame: Frame, request: HttpRequest | None = None) -> Invocation:
        instance = frame.target.instance
        return Invocation(
            definition_path=instance.definition.definition_path,
            module=frame.target.path.module,
            export=frame.target.path.name,
            kind=frame.target.spec.kind,
            now_ms=self.clock.now_ms(),
            seed=secrets.randbits(48),
            args=frame.args,
            env=self.environment(instance),
            tables=self.store.table_numbers(instance.path),
            request=request,
        )

    # The outermost execution of a transaction

    async def run_query_in(self, frame: Frame, tx: Transaction) -> Execution:
        """A query on a transaction that the caller holds. Raises Conflict (after a deploy), Crashed, SandboxError."""
        inner = _apart(frame)
        execution = await self.execute(inner, TransactionHost(self, inner, tx, Effects()))
        self.log.append([*inner.entries, inner.trace.entry(execution.failure, tx.usage)])
        return execution

    async def run_query(self, frame: Frame) -> Execution:
        """A query at the newest state."""
        lost = Failure("InternalServerError: the deployed code changed while the query ran.")
        for _ in range(CRASH_ATTEMPTS):
            try:
                with self.store.begin() as tx:
                    return await self.run_query_in(frame, tx)
            except Conflict:
                continue
            except Crashed as error:
                lost = crashed(error)
            except SandboxError as error:
                return Execution(failure=broken(error))
        return Execution(failure=lost)

    async def run_mutation(self, frame: Frame, claim: Claim | None = None) -> tuple[Execution, int]:
        """A mutation and its commit timestamp; when it fails, or the claim is gone, nothing of it happened."""
        lost = Failure("InternalServerError: the mutation was not run.")
        crashes = 0
        for attempt in range(MUTATION_ATTEMPTS):
            async with self._gate.shared() if attempt == 0 else self._gate.exclusive():
                try:
                    return await self._mutate(_apart(frame), claim)
                except Conflict as error:
                    lost = Failure(f"OptimisticConcurrencyControlFailure: {error} It was retried without success.")
                except Crashed as error:
                    lost = crashed(error)
                    crashes += 1
                except SandboxError as error:
                    return Execution(failure=broken(error)), 0
            if crashes == CRASH_ATTEMPTS:
                break
        return Execution(failure=lost), 0

    async def _mutate(self, frame: Frame, claim: Claim | None) -> tuple[Execution, int]:
        effects = Effects()
        with self.store.begin() as tx:
            if claim is not None and not claim.begin(tx):
                return Execution(), 0
            point, ts_ns = tx.savepoint(), 0
            execution = await self.execute(frame, TransactionHost(self, frame, tx, effects))
            usage = tx.release(point)
            if execution.failure is None:
                if claim is not None:
                    claim.end(tx)
                commit = tx.commit()
                ts_ns = commit.ts_ns
                self._apply(effects)
                self.committed(commit)
        self.log.append([*frame.entries, frame.trace.entry(execution.failure, usage)])
        return execution, ts_ns

    def _apply(self, effects: Effects) -> None:
        for stored in effects.files:
            self.files.put(*stored)
        for dropped in effects.dropped:
            self.files.drop(*dropped)
        self.schedule(effects.jobs)

    async def run_action(self, frame: Frame) -> Execution:
        """An action; what it did before it failed stays done."""
        inner = _apart(frame)
        try:
            execution = await self.execute(inner, ActionHost(self, inner))
        except SandboxError as error:
            execution = Execution(failure=broken(error))
        self.log.append([*inner.entries, inner.trace.entry(execution.failure, None)])
        return execution

    async def run_http(self, frame: Frame, request: HttpRequest) -> CallResult:
        """An HTTP action."""
        try:
            result = await self.sandbox.call(self._invocation(frame, request), ActionHost(self, frame))
        except SandboxError as error:
            result = CallResult(error=CallError(broken(error).message, kind="crash"))
        frame.trace.fetched, frame.trace.log_lines = result.fetched, result.log_lines
        self.log.append([frame.trace.entry(None if result.error is None else failure_of(result.error), None)])
        return result


def failure_of(error: CallError) -> Failure:
    """What generated code threw, or what ended it."""
    return Failure(error.message, error.data, error.has_data)


def crashed(error: Crashed) -> Failure:
    """Its process ended each time that it was tried."""
    return Failure(f"InternalServerError: {error}")


def broken(error: SandboxError) -> Failure:
    """The sandbox failed and the code is not at fault."""
    return Failure(f"InternalServerError: the sandbox broke: {error}")


def _apart(frame: Frame) -> Frame:
    """The same execution with evidence of its own: only the attempt that counts is logged."""
    trace = replace(frame.trace, calls=[], scheduled=[], fetched=(), log_lines=())
    return replace(frame, trace=trace, entries=[])
