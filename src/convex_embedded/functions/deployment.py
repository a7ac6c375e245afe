"""A deployment as the wire sees it: push, query, mutation, action, HTTP action, live queries, files, environment, log.

Calls come in with an identity and go out as outcomes; nothing raises for what generated code does.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from yarl import URL

from convex_embedded.functions import system
from convex_embedded.functions.cron_runner import CronRunner
from convex_embedded.functions.engine import CRASH_ATTEMPTS, Crashed, Engine, broken, crashed
from convex_embedded.functions.evidence import Trace
from convex_embedded.functions.file_operations import store_file
from convex_embedded.functions.files import StoredFile
from convex_embedded.functions.frames import Execution, Frame
from convex_embedded.functions.live import LiveQuery
from convex_embedded.functions.nouns import Call, CallRefused, Failure, FunctionPath, Identity, Outcome
from convex_embedded.functions.paths import parse_path
from convex_embedded.functions.push import build_registry, check_variable
from convex_embedded.functions.registry import Target, check_kind
from convex_embedded.functions.scheduler import Scheduler
from convex_embedded.functions.snapshots import Snapshots
from convex_embedded.store import Commit, Conflict, Transaction
from convex_embedded.types import (
    CallResult,
    DeployError,
    FunctionKind,
    FunctionSpec,
    HttpRequest,
    Push,
    SandboxError,
)

T = TypeVar("T")
QUERIES_AT_ONCE = 32
ACTIONS_AT_ONCE = 64
REMEMBERED_MUTATIONS = 4096
"""Of sessions that may reconnect and ask again."""


class Deployment:
    """One deployment, running until `close`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listeners: set[Callable[[Commit | None], None]] = set()
        self._queries = asyncio.Semaphore(QUERIES_AT_ONCE)
        self._actions = asyncio.Semaphore(ACTIONS_AT_ONCE)
        self._pushing = asyncio.Lock()
        self._snapshots = Snapshots(engine.store)
        self._pushed: Push | None = None
        self._once: OrderedDict[tuple[str, int], asyncio.Task[Outcome]] = OrderedDict()
        scheduler = Scheduler(engine, self.spawn)
        engine.schedule, engine.on_commit = scheduler.add, self._tell
        self.crons = CronRunner(engine, self.spawn)
        self.spawn(scheduler.run())
        self.spawn(self.crons.run())

    async def close(self) -> None:
        """End whatever runs. The sandbox and the listeners are closed by whoever made them."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._snapshots.clear()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something that lives no longer than the deployment."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def now_ns(self) -> int:
        """The clock that timestamps come from; a client cannot have seen a later one."""
        return max(self.engine.clock.now_ns(), self.engine.store.last_ts_ns)

    # Deploying

    async def push(self, push: Push) -> None:
        """Deploy code; data stay. Raises DeployError (then nothing has changed) or SandboxError."""
        async with self._pushing:
            engine = self.engine
            for name, value in push.env.items():
                try:
                    check_variable(name, value)
                except ValueError as error:
                    raise DeployError(str(error)) from error
            env = {**engine.env, **push.env}
            urls = {"CONVEX_CLOUD_URL": engine.url, "CONVEX_SITE_URL": engine.site_url}
            loaded = replace(push, env={**env, **urls})
            analysis = await engine.sandbox.load(loaded)
            try:
                registry = build_registry(push, analysis, env)
                schemas = {path: i.definition.schema for path, i in registry.instances.items()}
                engine.store.push(schemas)
            except DeployError:
                if self._pushed is not None:
                    await engine.sandbox.load(self._pushed)
                raise
            self._snapshots.clear()
            self._pushed, engine.registry, engine.env = loaded, registry, env
            self.crons.replace()
            self._tell(None)

    def set_environment(self, changes: Mapping[str, str | None]) -> None:
        """None deletes. Raises ValueError; then nothing has changed. Seen by the next call."""
        for name, value in changes.items():
            check_variable(name, value or "")
        for name, value in changes.items():
            if value is None:
                self.engine.env.pop(name, None)
            else:
                self.engine.env[name] = value
        self._tell(None)

    # Calls

    async def query(self, call: Call) -> Outcome:
        """A query at the newest state."""
        live = LiveQuery(call.path, call.args, call.component, None)
        for _ in range(CRASH_ATTEMPTS):
            live.dirty = True
            _, (outcome,) = await self.evaluate([live], call.identity, call)
            if outcome is not None:
                return outcome
        return Outcome(call.request_id, failure=Failure("InternalServerError: the deployed code changed too often."))

    async def mutation(self, call: Call) -> Outcome:
        """A mutation, committed or without effect."""
        try:
            path = parse_path(call.path)
            if path.module.startswith(system.PREFIX):
                return self._system_mutation(call, path)
            execution, ts_ns = await self.engine.run_mutation(self._frame(call, path, "mutation"))
        except CallRefused as error:
            return Outcome(call.request_id, failure=Failure(str(error)))
        return _outcome(call, execution, ts_ns)

    def mutate_once(self, session_id: str, request_id: int, call: Call) -> asyncio.Task[Outcome]:
        """A session's mutation, which it may ask for again after a reconnect: one that committed is not run twice."""
        key = (session_id, request_id)
        known = self._once.get(key)
        if known is not None and not (
            known.done() and (known.cancelled() or known.exception() or known.result().failure)
        ):
            return known
        task = self._once[key] = self.spawn(self.mutation(call))
        while len(self._once) > REMEMBERED_MUTATIONS and next(iter(self._once.values())).done():
            self._once.popitem(last=False)
        return task

    async def action(self, call: Call) -> Outcome:
        """An action."""
        try:
            frame = self._frame(call, parse_path(call.path), "action")
        except CallRefused as error:
            return Outcome(call.request_id, failure=Failure(str(error)))
        async with self._actions:
            return _outcome(call, await self.engine.run_action(frame))

    async def call(self, call: Call) -> Outcome:
        """A function of whatever kind."""
        try:
            kind = self._kind(call)
        except CallRefused as error:
            return Outcome(call.request_id, failure=Failure(str(error)))
        if kind == "query":
            return await self.query(call)
        return await (self.mutation(call) if kind == "mutation" else self.action(call))

    def _kind(self, call: Call) -> FunctionKind:
        path = parse_path(call.path)
        if path.module.startswith(system.PREFIX):
            return system.find(path).kind
        return self.engine.registry.get_public(call.component, path, internal=call.identity.admin).spec.kind

    async def http(self, call: Call, request: HttpRequest) -> CallResult:
        """An HTTP action of the instance that the call names."""
        instance = self.engine.registry.instances[call.component]
        path = FunctionPath("http.js", "default")
        spec = FunctionSpec(path.module, path.name, "httpAction", "public", {"type": "any"}, {"type": "any"})
        trace = Trace(f"{request.method} {URL(request.url).path}", call.component, "httpAction", call.request_id)
        frame = Frame(Target(instance, path, spec), {}, call.identity, call, trace, [])
        async with self._actions:
            return await self.engine.run_http(frame, request)

    # Reads at an earlier moment

    def hold_snapshot(self) -> int:
        """Remember the present for `query_at`; its timestamp."""
        return self._snapshots.hold(self.engine.clock.now_ms())

    async def query_at(self, call: Call, ts_ns: int) -> Outcome | None:
        """A query at a held moment; None when it is forgotten."""
        held = self._snapshots.find(ts_ns, self.engine.clock.now_ms())
        if held is None:
            return None
        async with held.lock:
            return await self._evaluate_one(LiveQuery(call.path, call.args, call.component, None), call, held.tx)

    # Live queries

    @contextmanager
    def listening(self, queries: Callable[[], Iterator[LiveQuery]], wake: Callable[[], None]) -> Iterator[None]:
        """While inside, `queries()` are marked dirty when a commit or a push touches them; then `wake()` is called."""

        def listener(commit: Commit | None) -> None:
            for query in queries():
                if commit is None:
                    query.dirty = True
                else:
                    query.touch(commit)
            wake()

        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)

    def _tell(self, commit: Commit | None) -> None:
        for listener in tuple(self._listeners):
            listener(commit)

    async def evaluate(
        self, queries: Sequence[LiveQuery], identity: Identity, call: Call | None = None
    ) -> tuple[int, list[Outcome | None]]:
        """Run live queries at one snapshot: its timestamp and their outcomes.

        None = could not be run this time and is still dirty. What a commit touches meanwhile is dirty again.
        """
        with ExitStack() as stack:
            transactions = []
            for query in queries:
                query.dirty = False
                transactions.append(stack.enter_context(self._begin_query(query)))
            ts_ns = transactions[0].begin_ts_ns if transactions else self.engine.store.last_ts_ns
            runs = [
                self._evaluate_one(query, call or Call(query.path, query.args, identity, query.component), tx)
                for query, tx in zip(queries, transactions, strict=True)
            ]
            return ts_ns, list(await asyncio.gather(*runs))

    def _begin_query(self, query: LiveQuery) -> Transaction:
        return self.engine.store.begin(trusted=query.path.startswith(system.PREFIX), journal=query.journal)

    async def _evaluate_one(self, query: LiveQuery, call: Call, tx: Transaction) -> Outcome | None:
        try:
            path = parse_path(call.path)
            if path.module.startswith(system.PREFIX):
                execution = system.execute(self._system_function(call, path, "query"), self._context(call, tx))
            else:
                async with self._queries:
                    execution = await self.engine.run_query_in(self._frame(call, path, "query"), tx)
        except CallRefused as error:
            execution = Execution(failure=Failure(str(error)))
        except SandboxError as error:
            execution = Execution(failure=broken(error))
        except Conflict:
            query.dirty = True
            return None
        except Crashed as error:
            query.crashes += 1
            if query.crashes < CRASH_ATTEMPTS:
                query.dirty = True
                return None
            execution = Execution(failure=crashed(error))
        outcome = replace(_outcome(call, execution, tx.begin_ts_ns), journal=tx.journal)
        query.settle(outcome, tx.read_set, tx.stale)
        return outcome

    # Files

    def upload(self, component: str, file: StoredFile) -> str:
        """Store an uploaded file; its id. Raises SyscallError when storage is full."""
        return store_file(self.engine, component, file)

    # Inside

    def _frame(self, call: Call, path: FunctionPath, kind: FunctionKind) -> Frame:
        admitted = call.identity.admin or call.internal
        target = self.engine.registry.get_public(call.component if admitted else "", path, internal=admitted)
        check_kind(target, kind)
        if call.component and not admitted:
            raise CallRefused("Only admins may call functions of components.")
        trace = Trace(path.identifier, call.component, kind, call.request_id)
        return Frame(target, _arguments(call), call.identity, call, trace, [])

    def _system_function(self, call: Call, path: FunctionPath, kind: FunctionKind) -> system.SystemFunction:
        if not call.identity.admin:
            raise CallRefused(f"Could not find public function for '{path.shown}'.")
        function = system.find(path)
        if function.kind != kind:
            raise CallRefused(f"Trying to execute {path.identifier} as {kind}, but it is defined as {function.kind}.")
        return function

    def _context(self, call: Call, tx: Transaction) -> system.Context:
        return system.Context(self.engine, self.crons, tx, _arguments(call))

    def _system_mutation(self, call: Call, path: FunctionPath) -> Outcome:
        function = self._system_function(call, path, "mutation")
        with self.engine.store.begin(trusted=True) as tx:
            execution = system.execute(function, self._context(call, tx))
            if execution.failure is not None:
                return _outcome(call, execution)
            commit = tx.commit()
            self.engine.committed(commit)
        return _outcome(call, execution, commit.ts_ns)


def _arguments(call: Call) -> dict[str, Any]:
    """The arguments object. Raises CallRefused."""
    args = call.args
    if isinstance(args, list) and len(args) <= 1:
        args = args[0] if args else {}
    if not isinstance(args, dict):
        raise CallRefused("Arguments for a Convex function must be an object.")
    return args


def _outcome(call: Call, execution: Execution, ts_ns: int = 0) -> Outcome:
    return Outcome(call.request_id, execution.value, execution.failure, execution.log_lines, ts_ns)
