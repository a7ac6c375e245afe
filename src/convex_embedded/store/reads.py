"""What a transaction read, and what a commit wrote: whether the second touches the first.

Reads are intervals of index keys, single ids, whole tables and text searches; drives conflicts and subscriptions.
Keys are computed from the fields of an index, not from its name, so a read set outlives a deploy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from convex_embedded.store.documents import Document

FieldPaths = tuple[tuple[str, ...], ...]
TableKey = tuple[str, str]
"""Component path and table name."""


@dataclass(frozen=True)
class Write:
    """One document before and after a commit; None = absent."""

    old: Document | None
    new: Document | None

    @property
    def table_key(self) -> TableKey:
        """Where it lies."""
        document = self.old or self.new
        assert document is not None
        return document.component, document.table

    @property
    def versions(self) -> tuple[Document, ...]:
        """The one or two documents involved."""
        return tuple(document for document in (self.old, self.new) if document is not None)


@dataclass(frozen=True)
class Commit:
    """A finished transaction."""

    ts_ns: int
    """Wall-clock nanoseconds, strictly increasing within a store."""
    writes: tuple[Write, ...]


@dataclass(frozen=True)
class Interval:
    """Keys k with start <= k < end; end None = no bound."""

    start: bytes
    end: bytes | None

    def __contains__(self, key: bytes) -> bool:
        return self.start <= key and (self.end is None or key < self.end)


class _TableReads:
    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.ranges: dict[FieldPaths, dict[Interval, None]] = {}
        self.searches: list[Callable[[Document], bool]] = []

    def touched_by(self, document: Document) -> bool:
        if document.id in self.ids:
            return True
        for fields, intervals in self.ranges.items():
            key = document.key(fields)
            if any(key in interval for interval in intervals):
                return True
        return any(matches(document) for matches in self.searches)


class ReadSet:
    """Grows while a transaction runs; keep it to know when the result is out of date."""

    def __init__(self) -> None:
        self._tables: dict[TableKey, _TableReads] = {}

    def _of(self, table: TableKey) -> _TableReads:
        return self._tables.setdefault(table, _TableReads())

    def add_id(self, table: TableKey, id_: str) -> None:
        """One document was looked up, there or not."""
        self._of(table).ids.add(id_)

    def add_range(self, table: TableKey, fields: FieldPaths, interval: Interval) -> None:
        """All index entries in an interval were seen, or seen to be absent."""
        self._of(table).ranges.setdefault(fields, {})[interval] = None

    def add_search(self, table: TableKey, matches: Callable[[Document], bool]) -> None:
        """A search saw the documents for which the predicate holds."""
        self._of(table).searches.append(matches)

    def touched_by(self, writes: Iterable[Write]) -> bool:
        """Whether any of the writes could change what was read."""
        return self.conflict(writes) is not None

    def conflict(self, writes: Iterable[Write]) -> TableKey | None:
        """The table of the first write that touches what was read."""
        for write in writes:
            reads = self._tables.get(write.table_key)
            if reads is not None and any(map(reads.touched_by, write.versions)):
                return write.table_key
        return None

    @property
    def tables(self) -> frozenset[TableKey]:
        """Every table that was looked at."""
        return frozenset(self._tables)
