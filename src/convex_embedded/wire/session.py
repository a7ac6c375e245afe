"""The state machine of one WebSocket client: live queries, mutations in order, actions at once, identity.

The rule everything here serves: a transition starts exactly where the last one ended. So `_emit` takes the last
version and enqueues without a pause in between, and nobody else numbers transitions. Live queries are evaluated in
rounds, each at one snapshot, so that what a client sees is consistent; a Remove is acknowledged at once, without
waiting for a round.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import msgspec
from aiohttp import web

from convex_embedded.functions.deployment import Deployment
from convex_embedded.functions.live import LiveQuery
from convex_embedded.functions.nouns import ANONYMOUS, Call, Identity, Outcome
from convex_embedded.wire import messages
from convex_embedded.wire.auth import AuthRefused, Gatekeeper
from convex_embedded.wire.messages import ProtocolError, Version
from convex_embedded.wire.outbox import Outbox

MAX_LIVE_QUERIES = 4096
MAX_RUNNING_ACTIONS = 256
MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Of mutations and actions that have not ended: with more, the session is not read from."""
_CLOSE_REASON_BYTES = 120


class SyncSession:
    """One connection. `run` returns when it is over; nothing that it started for the session outlives it."""

    def __init__(self, deployment: Deployment, gatekeeper: Gatekeeper, socket: web.WebSocketResponse) -> None:
        self._deployment = deployment
        self._gatekeeper = gatekeeper
        self._socket = socket
        self._outbox = Outbox(socket)
        self._session_id: str | None = None
        self._emitted = Version()
        self._wanted = Version()
        self._identity: Identity = ANONYMOUS
        self._auth_failed = False
        self._queries: dict[int, LiveQuery] = {}
        self._sent: dict[int, bytes] = {}
        """Digest of what the client was last told of each query."""
        self._owes_transition = False
        self._wake = asyncio.Event()
        self._mutations: asyncio.Queue[tuple[int, Call, int]] = asyncio.Queue()
        self._running_actions = 0
        self._waiting_bytes = 0
        self._relief = asyncio.Event()

    async def run(self) -> bool:
        """Serve the client until either side hangs up; False when it does not even take a farewell."""
        with self._deployment.listening(lambda: iter(self._queries.values()), self._on_change):
            works = (self._outbox.run(), self._outbox.over(), self._rounds(), self._run_mutations())
            workers = [asyncio.ensure_future(work) for work in works]
            reader = asyncio.ensure_future(self._read())
            try:
                done, _ = await asyncio.wait([reader, *workers], return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._outbox.close()
                for task in (reader, *workers):
                    task.cancel()
                await asyncio.gather(reader, *workers, return_exceptions=True)
            for task in done:
                task.result()
        return not self._outbox.stuck

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                if frame.type is not web.WSMsgType.TEXT:
                    raise ProtocolError("Only text frames are part of the protocol.")
                self._receive(messages.decode_message(frame.data), len(frame.data))
                while self._waiting_bytes > MAX_WAITING_BYTES:
                    self._relief.clear()
                    await self._relief.wait()
        except ProtocolError as error:
            reason = str(error).encode()[:_CLOSE_REASON_BYTES].decode(errors="ignore")
            await self._socket.close(code=1008, message=reason.encode())

    def _receive(self, message: messages.ClientMessage, size: int) -> None:
        if isinstance(message, messages.Connect):
            self._connect(message)
            return
        if isinstance(message, messages.Event):
            return
        if self._session_id is None:
            raise ProtocolError("The first message must be Connect.")
        match message:
            case messages.Authenticate():
                self._authenticate(message)
            case messages.ModifyQuerySet():
                self._modify_query_set(message)
            case messages.Mutation():
                self._take_on(size)
                self._mutations.put_nowait((message.request_id, self._call(message), size))
            case messages.Action():
                self._start_action(message, size)

    def _connect(self, message: messages.Connect) -> None:
        if self._session_id is not None:
            raise ProtocolError("Connect may be sent only once.")
        if message.max_observed_timestamp is not None:
            try:
                observed_ns = messages.decode_ts(message.max_observed_timestamp)
            except ValueError as error:
                raise ProtocolError(f"Invalid maxObservedTimestamp: {error}") from error
            if observed_ns > self._deployment.now_ns():
                raise ProtocolError("The client has observed a timestamp that this deployment has not reached.")
        self._session_id = message.session_id

    # Identity

    def _authenticate(self, message: messages.Authenticate) -> None:
        base = message.base_version
        # After a refused attempt the client counts on, the deployment does not.
        if base < self._wanted.identity or (base > self._wanted.identity and not self._auth_failed):
            raise ProtocolError(f"Authenticate has base version {base}, expected {self._wanted.identity}.")
        try:
            identity = self._gatekeeper.authenticate(message.token_type, message.value, message.impersonating)
        except AuthRefused as error:
            self._auth_failed = True
            self._outbox.send(messages.auth_error(str(error), base))
            return
        self._auth_failed = False
        self._identity = identity
        self._wanted = replace(self._wanted, identity=base + 1)
        for query in self._queries.values():
            query.dirty = True
        self._wake.set()

    # Live queries

    def _modify_query_set(self, message: messages.ModifyQuerySet) -> None:
        if message.base_version != self._wanted.query_set or message.new_version <= message.base_version:
            raise ProtocolError(
                f"ModifyQuerySet goes from version {message.base_version} to {message.new_version}, "
                f"but the query set is at {self._wanted.query_set}."
            )
        removed: list[Any] = []
        for modification in message.modifications:
            if isinstance(modification, messages.Add):
                self._add(modification)
            elif self._queries.pop(modification.query_id, None) is None:
                raise ProtocolError(f"Query {modification.query_id} is not part of the query set.")
            else:
                self._sent.pop(modification.query_id, None)
                removed.append(messages.query_removed(modification.query_id))
        self._wanted = replace(self._wanted, query_set=message.new_version)
        if removed:
            # At once: until this is acknowledged, the client answers the same query from its cache.
            self._emit(removed, replace(self._emitted, query_set=message.new_version))
        self._wake.set()

    def _add(self, add: messages.Add) -> None:
        if add.query_id in self._queries:
            raise ProtocolError(f"Query {add.query_id} is already part of the query set.")
        if len(self._queries) >= MAX_LIVE_QUERIES:
            raise ProtocolError(f"A session may have at most {MAX_LIVE_QUERIES} queries.")
        args = add.args[0] if add.args else {}
        self._queries[add.query_id] = LiveQuery(add.udf_path, args, add.component_path or "", add.journal)

    def _on_change(self) -> None:
        """The deployment committed or was pushed to; it has marked the queries that this touches."""
        if any(query.dirty for query in self._queries.values()):
            self._wake.set()

    async def _rounds(self) -> None:
        while not self._outbox.closed:
            await self._wake.wait()
            await self._outbox.room()
            self._wake.clear()
            await self._round()

    async def _round(self) -> None:
        """Bring all dirty queries to one snapshot and tell the client what changed."""
        goal = self._wanted
        dirty = {query_id: query for query_id, query in self._queries.items() if query.dirty}
        ts_ns, outcomes = await self._deployment.evaluate(list(dirty.values()), self._identity)
        modifications: list[Any] = []
        for (query_id, query), outcome in zip(dirty.items(), outcomes, strict=True):
            if self._queries.get(query_id) is not query or outcome is None:
                continue
            change = msgspec.json.encode(messages.query_changed(query_id, outcome))
            digest = hashlib.sha256(change).digest()
            if self._sent.get(query_id) != digest:
                self._sent[query_id] = digest
                modifications.append(msgspec.Raw(change))
        end = Version(
            query_set=max(goal.query_set, self._emitted.query_set),
            identity=goal.identity,
            ts_ns=max(ts_ns, self._emitted.ts_ns),
        )
        moved = (end.query_set, end.identity) != (self._emitted.query_set, self._emitted.identity)
        if modifications or moved or self._owes_transition:
            self._owes_transition = False
            self._emit(modifications, end)
        if any(query.dirty for query in self._queries.values()):
            self._wake.set()

    def _emit(self, modifications: list[Any], end: Version) -> None:
        self._outbox.send(messages.transition(self._emitted, end, modifications))
        self._emitted = end

    # Mutations and actions

    def _call(self, message: messages.Mutation | messages.Action) -> Call:
        return Call(
            path=message.udf_path,
            args=message.args[0] if message.args else {},
            identity=self._identity,
            component=message.component_path or "",
        )

    async def _run_mutations(self) -> None:
        while True:
            request_id, call, size = await self._mutations.get()
            await self._outbox.room()
            assert self._session_id is not None, "mutations are queued only after Connect"
            # Shielded: a mutation that has begun ends, also when its client is gone; a reconnected client asks again.
            outcome = await asyncio.shield(self._deployment.mutate_once(self._session_id, request_id, call))
            self._take_on(-size)
            self._outbox.send(messages.response("MutationResponse", request_id, outcome))
            # Clients wait for a transition to the commit, also without any subscription, and the Rust and Python ones
            # wait for one after a mutation that threw a ConvexError too.
            self._owes_transition = True
            self._wake.set()

    def _take_on(self, size: int) -> None:
        """Bytes of requests that begin to wait, or (negative) have ended."""
        self._waiting_bytes += size
        self._relief.set()

    def _start_action(self, message: messages.Action, size: int) -> None:
        if self._running_actions >= MAX_RUNNING_ACTIONS:
            raise ProtocolError(f"A session may have at most {MAX_RUNNING_ACTIONS} actions running.")
        self._running_actions += 1
        self._take_on(size)
        task = self._deployment.spawn(self._deployment.action(self._call(message)))
        request_id = message.request_id

        def answer(done: asyncio.Task[Outcome]) -> None:
            self._running_actions -= 1
            self._take_on(-size)
            if not done.cancelled() and done.exception() is None:
                self._outbox.send(messages.response("ActionResponse", request_id, done.result()))

        task.add_done_callback(answer)
