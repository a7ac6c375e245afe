"""One table as a transaction sees it: as it was when the transaction began, plus the transaction's own writes.

The committed state is shared; what differs from it, because others committed since or because the transaction wrote,
lies on top. While nobody else commits, a pure read costs nothing extra.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Final

from convex_embedded.store.documents import Document
from convex_embedded.store.indexes import OrderedIndex
from convex_embedded.store.reads import Interval
from convex_embedded.store.schema import IndexSpec
from convex_embedded.store.tables import Table

ABSENT: Final = object()
"""In an undo record: the transaction had not written the document."""


class TableView:
    """Reads and private writes of one table."""

    def __init__(self, base: Callable[[], Table | None]) -> None:
        self._base = base
        self._past: dict[str, Document | None] = {}
        self.own: dict[str, Document | None] = {}
        """What the transaction wrote: id → new version, None = deleted."""
        self._changed: dict[str, Document | None] = {}
        self._overlays: dict[IndexSpec, OrderedIndex] = {}

    def get(self, id_: str) -> Document | None:
        """The visible version of a document."""
        if id_ in self._changed:
            return self._changed[id_]
        base = self._base()
        return base.documents.get(id_) if base else None

    def snapshot(self, id_: str) -> Document | None:
        """The version as of the begin, without own writes."""
        if id_ in self._past:
            return self._past[id_]
        base = self._base()
        return base.documents.get(id_) if base else None

    def write(self, id_: str, document: Document | None) -> object:
        """Returns what `restore` needs to undo it."""
        before: object = self.own.get(id_, ABSENT)
        self.own[id_] = document
        self._set(id_, document)
        return before

    def restore(self, id_: str, before: object) -> None:
        """Undo a write; the latest first."""
        if before is not ABSENT:
            assert before is None or isinstance(before, Document)
            self.own[id_] = before
            self._set(id_, before)
            return
        del self.own[id_]
        if id_ in self._past:
            self._set(id_, self._past[id_])
        else:
            self._unset(id_)

    def preserve(self, id_: str, old: Document | None) -> None:
        """Someone else is about to commit over this version: keep showing it."""
        if id_ in self._past:
            return
        self._past[id_] = old
        if id_ not in self.own:
            self._set(id_, old)

    def scan(self, spec: IndexSpec, interval: Interval, *, descending: bool) -> Iterator[tuple[bytes, Document]]:
        """Visible entries of an index in order; drop the iterator before anything is written."""
        base = self._base()
        committed = base.ordered[spec.name].scan(interval, descending=descending) if base else iter(())
        if not self._changed:
            return committed
        kept = (entry for entry in committed if entry[1].id not in self._changed)
        changed = self._overlay(spec).scan(interval, descending=descending)
        return heapq.merge(kept, changed, key=lambda entry: entry[0], reverse=descending)

    def replaced(self, document: Document) -> bool:
        """Whether a committed document is not the visible version."""
        return document.id in self._changed

    def changed_documents(self) -> Iterator[Document]:
        """Visible documents that are not the committed version."""
        return (document for document in self._changed.values() if document is not None)

    def count(self) -> int:
        """How many documents are visible."""
        base = self._base()
        documents = base.documents if base else {}
        hidden = sum(1 for id_ in self._changed if id_ in documents)
        return len(documents) - hidden + sum(1 for _ in self.changed_documents())

    def _overlay(self, spec: IndexSpec) -> OrderedIndex:
        if spec not in self._overlays:
            overlay = OrderedIndex(spec)
            for document in self.changed_documents():
                overlay.add(document)
            self._overlays[spec] = overlay
        return self._overlays[spec]

    def _set(self, id_: str, document: Document | None) -> None:
        self._unset(id_)
        self._changed[id_] = document
        if document is not None:
            for overlay in self._overlays.values():
                overlay.add(document)

    def _unset(self, id_: str) -> None:
        before = self._changed.pop(id_, None)
        if before is not None:
            for overlay in self._overlays.values():
                overlay.remove(before)
