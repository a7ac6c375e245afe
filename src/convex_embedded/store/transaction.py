"""A transaction: reads and writes of one call, its sub-transactions, its limits and what it must not have missed.

It sees the store as of its begin plus its own writes. Nothing it writes is visible to others before `commit`, which
refuses (Conflict) when a commit since its begin touched something that it read: so commits are serialisable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from convex_embedded.store.documents import (
    Document,
    check_document,
    check_system_fields,
    fields_of,
    resolved,
    system_fields,
    without_system_fields,
)
from convex_embedded.store.errors import Conflict, InvalidValue, StoreError
from convex_embedded.store.ids import MalformedId, decode_id, new_id
from convex_embedded.store.indexes import paths_of
from convex_embedded.store.limits import TRANSACTION_LIMITS, Meter, Savepoint, Usage, nested_limits
from convex_embedded.store.pages import Batch, Cleared, Page, PageRequest
from convex_embedded.store.queries import plan_query, table_of_query
from convex_embedded.store.reads import Commit, Interval, ReadSet, TableKey, Write
from convex_embedded.store.runs import Source, run_batch, run_page
from convex_embedded.store.schema import BY_CREATION_TIME, BY_ID, SYSTEM_TABLES
from convex_embedded.store.search import parse_vector_query, search_vectors
from convex_embedded.store.validators import check
from convex_embedded.store.values import UNDEFINED, Json, decode, decode_patch
from convex_embedded.store.view import TableView

if TYPE_CHECKING:
    from convex_embedded.store.store import Store

_EVERYTHING = Interval(b"", None)
_WRITTEN = ("bytesWritten", "documentsWritten", "functionsScheduled", "scheduledFunctionArgsBytes", "filesWritten")


class Transaction:
    """Made by `Store.begin`. Not for use after commit or close."""

    def __init__(self, store: Store, *, trusted: bool, journal: str | None, creation_time: float) -> None:
        self._store = store
        self._generation = store.generation
        self._trusted = trusted
        self._charging = True
        self._views: dict[TableKey, TableView] = {}
        self._later: list[Commit] = []
        self._undo: list[tuple[TableKey, str, object]] = []
        self._meters = [Meter(None if trusted else TRANSACTION_LIMITS)]
        self._journal_in = journal
        self._next_creation_time = creation_time
        self._open = True
        self.begin_ts_ns = store.last_ts_ns
        """The commit that this transaction sees as the last one."""
        self.read_set = ReadSet()
        self.journal: str | None = None
        """The end cursor of the page that was read, for the next run of the same live query."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Reads

    def get(self, component: str, id_: str, *, table: str | None = None, system: bool = False) -> Document | None:
        """The document with this id. Raises StoreError for text that is no id, or one of another table."""
        self._check_open()
        name = self._table_of_argument(component, id_, table, "get")
        if name is None:
            return None
        if name.startswith("_") and not system and not self._trusted:
            raise StoreError("System tables can only be accessed from db.system.get().")
        self._charge("databaseQueries", 1)
        return self._read(component, name, id_)

    def query(self, component: str, query: Any, *, cursor: str | None = None, size: int = 100) -> Batch:
        """The next documents of a query stream."""
        self._check_open()
        if cursor is None:
            self._charge("databaseQueries", 1)
        plan = plan_query(query, self._store.table((component, table_of_query(query))))
        self._note_index(plan.table, plan.index)
        return run_batch(plan, self._source(component, plan.table), cursor, size)

    def page(self, component: str, request: PageRequest) -> Page:
        """One page of a query; one call of a function may ask for one."""
        self._check_open()
        meter = self._meters[-1]
        if meter.pages and not self._trusted:
            raise StoreError(
                "This query or mutation function ran multiple paginated queries. Convex only supports a single "
                "paginated query in each function."
            )
        self._charge("databaseQueries", 1)
        meter.pages += 1
        plan = plan_query(request.query, self._store.table((component, table_of_query(request.query))))
        self._note_index(plan.table, plan.index)
        outermost = len(self._meters) == 1
        remembered = self._journal_in if outermost else None
        if request.end_cursor is None and remembered and remembered.startswith(plan.fingerprint):
            request = PageRequest(request.query, request.cursor, request.page_size, remembered)
        page = run_page(plan, self._source(component, plan.table), request)
        if outermost:
            self.journal = page.continue_cursor
        return page

    def count(self, component: str, table: str) -> int:
        """How many documents a table holds."""
        self._check_open()
        self._charge("databaseQueries", 1)
        self.read_set.add_range((component, table), paths_of(BY_ID.key_fields), _EVERYTHING)
        return self._view((component, table)).count()

    def vector_search(self, component: str, query: Any) -> list[dict[str, Json]]:
        """Ids and scores of the nearest documents, best first."""
        self._check_open()
        wanted = parse_vector_query(query, lambda table: self._store.table((component, table)))
        self._note_index(wanted.table, wanted.index.spec.name)
        found = search_vectors(self._view((component, wanted.table)), wanted)
        return [{"_id": document.id, "_score": score} for document, score in found]

    def normalize_id(self, component: str, table: str, text: str) -> str | None:
        """The id when it is one of this table."""
        return text if self._store.table_of(component, text) == table else None

    def newest(self, component: str, table: str, limit: int) -> list[Document]:
        """The youngest documents of a table, youngest first; none for an unknown table."""
        self._check_open()
        self.read_set.add_range((component, table), paths_of(BY_CREATION_TIME.key_fields), _EVERYTHING)
        entries = self._view((component, table)).scan(BY_CREATION_TIME, _EVERYTHING, descending=True)
        return [document for (_, document), _ in zip(entries, range(limit), strict=False)]

    # Writes

    def insert(self, component: str, table: str, value: Json) -> str:
        """Add a document; the answer is its id."""
        self._check_open()
        self._check_writable(table)
        fields = fields_of(decode(value))
        for name in ("_id", "_creationTime"):
            if name in fields:
                raise InvalidValue(f"The system field `{name}` is set automatically: leave it out of `db.insert`.")
        id_ = new_id(self._store.ensure_table((component, table)).number)
        time = self._next_creation_time
        self._next_creation_time = math.nextafter(time, math.inf)
        self._write(Document(component, table, id_, {"_creationTime": time, "_id": id_, **fields}))
        return id_

    def patch(self, component: str, id_: str, value: Json, *, table: str | None = None) -> None:
        """Merge top-level fields into a document; undefined removes one."""
        old = self._existing(component, id_, table, "patch", "Update")
        patch = decode_patch(value)
        check_system_fields(old, patch)
        merged = {name: item for name, item in (old.value | patch).items() if item is not UNDEFINED}
        self._write(Document(component, old.table, id_, merged))

    def replace(self, component: str, id_: str, value: Json, *, table: str | None = None) -> None:
        """Give a document other fields; id and creation time stay."""
        old = self._existing(component, id_, table, "replace", "Replace")
        fields = fields_of(decode(value))
        check_system_fields(old, fields)
        self._write(Document(component, old.table, id_, system_fields(old) | fields))

    def delete(self, component: str, id_: str, *, table: str | None = None) -> None:
        """Remove a document."""
        old = self._existing(component, id_, table, "delete", "Delete")
        self._remove(old)

    def clear_page(
        self, component: str, table: str, cursor: str | None = None, *, rows: int = 4000, size_bytes: int = 3_000_000
    ) -> Cleared:
        """Delete the oldest documents of a table; the cursor only says that a call came before."""
        self._check_open()
        entries = self._view((component, table)).scan(BY_CREATION_TIME, _EVERYTHING, descending=False)
        found: list[Document] = []
        total = 0
        for _, document in entries:
            if len(found) == rows or (found and total + document.size_bytes > size_bytes):
                break
            found.append(document)
            total += document.size_bytes
        self.read_set.add_range((component, table), paths_of(BY_CREATION_TIME.key_fields), _EVERYTHING)
        for document in found:
            self._remove(document)
        has_more = self._view((component, table)).count() > 0
        return Cleared(len(found), found[-1].id if found and has_more else None, has_more)

    # Sub-transactions, limits, evidence

    def savepoint(self, limits: Mapping[str, float] | None = None) -> Savepoint:
        """Begin a sub-transaction. They nest: the last one begun ends first."""
        self._check_open()
        self._meters.append(Meter(None if self._trusted else nested_limits(TRANSACTION_LIMITS, limits)))
        return Savepoint(len(self._meters), len(self._undo))

    def release(self, point: Savepoint) -> Usage:
        """End a sub-transaction well."""
        assert point.depth == len(self._meters), "sub-transactions end in the reverse order of their begin"
        return self._meters.pop().usage

    def rollback(self, point: Savepoint) -> Usage:
        """End a sub-transaction and undo its writes."""
        assert point.depth == len(self._meters), "sub-transactions end in the reverse order of their begin"
        while len(self._undo) > point.undo_length:
            key, id_, before = self._undo.pop()
            self._views[key].restore(id_, before)
        failed = self._meters.pop()
        for meter in self._meters:
            for resource in _WRITTEN:
                meter.used[resource] -= failed.used[resource]
        return failed.usage

    def charge(self, resource: str, amount: int) -> None:
        """Count something that happens outside the store ("functionsScheduled", …). Raises LimitError."""
        self._charge(resource, amount)

    def metrics(self) -> dict[str, dict[str, float]]:
        """What the innermost running (sub-)transaction has used and may still use."""
        return self._meters[-1].metrics()

    @contextmanager
    def as_system(self) -> Iterator[None]:
        """Inside, the trusted side writes system tables on behalf of a function, which is charged nothing for it."""
        before = self._trusted, self._charging
        self._trusted, self._charging = True, False
        try:
            yield
        finally:
            self._trusted, self._charging = before

    @property
    def usage(self) -> Usage:
        """What the whole transaction has done so far."""
        return self._meters[0].usage

    # End

    @property
    def stale(self) -> bool:
        """Whether a commit or deploy since the begin has touched what was read."""
        return self._generation != self._store.generation or any(
            self.read_set.touched_by(commit.writes) for commit in self._later
        )

    def commit(self) -> Commit:
        """Make the writes visible. Raises Conflict; either way the transaction is over.

        A transaction that wrote nothing always succeeds: it is as if it had run at its begin.
        """
        assert self._open, "the transaction is over"
        assert len(self._meters) == 1, "a sub-transaction is still open"
        self.close()
        pairs = ((view.snapshot(id_), document) for view in self._views.values() for id_, document in view.own.items())
        changes = tuple((old, new) for old, new in pairs if old is not new)
        if not changes:
            return Commit(self.begin_ts_ns, ())
        if self._generation != self._store.generation:
            raise Conflict(None)
        for commit in self._later:
            touched = self.read_set.conflict(commit.writes)
            if touched is not None:
                raise Conflict(touched[1])
        ts_ns = self._store.next_ts_ns()
        writes = tuple(Write(old, new and resolved(new, ts_ns)) for old, new in changes)
        commit = Commit(ts_ns, writes)
        self._store.apply(commit, self._next_creation_time)
        return commit

    def close(self) -> None:
        """Forget the transaction; what it wrote and did not commit is gone."""
        self._open = False
        self._store.forget(self)

    def observe(self, commit: Commit) -> None:
        """The store tells every open transaction of every commit, right before it becomes visible."""
        self._later.append(commit)
        for write in commit.writes:
            view = self._views.get(write.table_key)
            if view is not None:
                view.preserve(write.versions[0].id, write.old)

    # Inside

    def _check_open(self) -> None:
        assert self._open, "the transaction is over"
        if self._generation != self._store.generation:
            raise Conflict(None)

    def _view(self, key: TableKey) -> TableView:
        if key not in self._views:
            view = TableView(lambda: self._store.table(key))
            for commit in self._later:
                for write in commit.writes:
                    if write.table_key == key:
                        view.preserve(write.versions[0].id, write.old)
            self._views[key] = view
        return self._views[key]

    def _source(self, component: str, table: str) -> Source:
        key = (component, table)
        return Source(key, self._view(key), self.read_set, self._count_read)

    def _read(self, component: str, table: str, id_: str) -> Document | None:
        key = (component, table)
        self.read_set.add_id(key, id_)
        document = self._view(key).get(id_)
        if document is not None:
            self._count_read(document)
        return document

    def _existing(self, component: str, id_: str, table: str | None, method: str, verb: str) -> Document:
        self._check_open()
        name = self._table_of_argument(component, id_, table, method)
        if name is not None:
            self._check_writable(name)
            self._charge("databaseQueries", 1)
        document = self._read(component, name, id_) if name is not None else None
        if document is None:
            raise StoreError(f"{verb} on nonexistent document ID {id_}")
        return document

    def _table_of_argument(self, component: str, id_: Any, table: str | None, method: str) -> str | None:
        where = f"Invalid argument `id` for `db.{method}`"
        if not isinstance(id_, str):
            raise StoreError(f"{where}, expected string")
        try:
            decode_id(id_)
        except MalformedId as error:
            raise StoreError(f"{where}: Unable to decode ID: {error}") from error
        name = self._store.table_of(component, id_)
        if table is not None and name is not None and name != table:
            raise StoreError(f"{where}: Expected an ID of table `{table}`, got ID `{id_}` from table `{name}`.")
        return name

    def _check_writable(self, table: Any) -> None:
        if not isinstance(table, str):
            raise StoreError("Invalid table name: it must be a string")
        if table.startswith("_") and not (self._trusted and table in SYSTEM_TABLES):
            raise StoreError("System tables (prefixed with `_`) are read-only.")

    def _write(self, document: Document) -> None:
        check_document(document)
        self._check_schema(document)
        self._charge_write(document)
        self._store.check_room(self._meters[0].used["bytesWritten"])
        self._store_version(document.component, document.table, document.id, document)

    def _remove(self, document: Document) -> None:
        self._charge_write(document)
        self._store_version(document.component, document.table, document.id, None)

    def _store_version(self, component: str, table: str, id_: str, document: Document | None) -> None:
        before = self._view((component, table)).write(id_, document)
        self._undo.append(((component, table), id_, before))

    def _check_schema(self, document: Document) -> None:
        validator = self._store.document_validator(document.component, document.table)
        if validator is None:
            return
        fields = without_system_fields(document.value)
        failure = check(validator, fields, lambda text: self._store.table_of(document.component, text))
        if failure is not None:
            raise StoreError(
                f'Failed to insert or update a document in table "{document.table}" because it does not match the '
                f"schema: {failure}"
            )

    def _charge(self, resource: str, amount: int) -> None:
        meters = self._meters if self._charging else ()
        for meter in meters:
            meter.check(resource, amount)
        for meter in meters:
            meter.add(resource, amount)

    def _count_read(self, document: Document) -> None:
        self._charge("documentsRead", 1)
        self._charge("bytesRead", document.size_bytes)

    def _charge_write(self, document: Document) -> None:
        self._charge("documentsWritten", 1)
        self._charge("bytesWritten", document.size_bytes)

    def _note_index(self, table: str, index: str | None) -> None:
        for meter in self._meters:
            if index is None:
                meter.full_scans[table] = None
            else:
                meter.indexes[f"{table}.{index}"] = None
