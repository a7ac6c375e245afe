"""The committed state of one table: its documents, its indexes and its number.

Only `store.py` changes it, at commit and at deploy; transactions read it through `view.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TypeVar

from convex_embedded.store.documents import Document
from convex_embedded.store.errors import StoreError
from convex_embedded.store.indexes import Index, OrderedIndex, TextIndex, VectorIndex
from convex_embedded.store.reads import TableKey, Write
from convex_embedded.store.schema import BY_CREATION_TIME, BY_ID, IndexSpec, SearchSpec, TableSchema, VectorSpec

IndexT = TypeVar("IndexT", OrderedIndex, TextIndex, VectorIndex)


class Table:
    """Documents by id and by every index that is not staged."""

    def __init__(self, key: TableKey, number: int) -> None:
        self.key = key
        self.number = number
        self.schema: TableSchema | None = None
        self.documents: dict[str, Document] = {}
        self.ordered: dict[str, OrderedIndex] = {spec.name: OrderedIndex(spec) for spec in (BY_ID, BY_CREATION_TIME)}
        self.texts: dict[str, TextIndex] = {}
        self.vectors: dict[str, VectorIndex] = {}

    def apply(self, write: Write) -> None:
        """Make a committed write visible."""
        if write.old is not None:
            del self.documents[write.old.id]
            for index in self._indexes():
                index.remove(write.old)
        if write.new is not None:
            self.documents[write.new.id] = write.new
            for index in self._indexes():
                index.add(write.new)

    def set_schema(self, schema: TableSchema | None) -> None:
        """Keep the indexes that did not change, drop the ones that went, fill the new ones."""
        self.schema = schema
        ordered: Iterable[OrderedIndex] = (
            self.ordered[spec.name] if self._has(self.ordered, spec) else self._filled(OrderedIndex(spec))
            for spec in (BY_ID, BY_CREATION_TIME, *(schema.indexes if schema else ()))
            if not spec.staged
        )
        texts: Iterable[TextIndex] = (
            self.texts[spec.name] if self._has(self.texts, spec) else self._filled(TextIndex(spec))
            for spec in (schema.searches if schema else ())
            if not spec.staged
        )
        vectors: Iterable[VectorIndex] = (
            self.vectors[spec.name] if self._has(self.vectors, spec) else self._filled(VectorIndex(spec))
            for spec in (schema.vectors if schema else ())
            if not spec.staged
        )
        self.ordered = {index.spec.name: index for index in ordered}
        self.texts = {index.spec.name: index for index in texts}
        self.vectors = {index.spec.name: index for index in vectors}

    def _indexes(self) -> Iterable[Index]:
        return chain(self.ordered.values(), self.texts.values(), self.vectors.values())

    @staticmethod
    def _has(indexes: dict[str, IndexT], spec: IndexSpec | SearchSpec | VectorSpec) -> bool:
        return spec.name in indexes and indexes[spec.name].spec == spec

    def _filled(self, index: IndexT) -> IndexT:
        for document in self.documents.values():
            index.add(document)
        return index


def missing_index(table_name: str, name: str, table: Table | None) -> StoreError:
    """Why a query cannot use an index."""
    schema = table.schema if table else None
    staged = schema.staged_names if schema else ()
    if name in staged:
        return StoreError(
            f"Index {table_name}.{name} is currently staged and not available to query until it is enabled."
        )
    return StoreError(f"Index {table_name}.{name} not found.")
