"""The index structures of one table: ordered, full-text and vector.

Each is fed documents by `add` and `remove` and answers reads; the same classes serve the committed state and the
changes that a transaction sees on top of it (`view.py`). They know no transactions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Protocol

from sortedcontainers import SortedDict

from convex_embedded.store.documents import Document
from convex_embedded.store.reads import FieldPaths, Interval
from convex_embedded.store.schema import IndexSpec, SearchSpec, VectorSpec
from convex_embedded.store.values import Value, at_path

MAX_TERM_LENGTH: Final = 32


def paths_of(fields: tuple[str, ...]) -> FieldPaths:
    """Dotted fields as paths."""
    return tuple(tuple(field.split(".")) for field in fields)


class Index(Protocol):
    """What every index can do."""

    def add(self, document: Document) -> None:
        """The document is there now."""

    def remove(self, document: Document) -> None:
        """The document is gone; it was added before."""


class OrderedIndex:
    """Documents by key; seeks cost O(log n)."""

    def __init__(self, spec: IndexSpec) -> None:
        self.spec = spec
        self.fields = paths_of(spec.key_fields)
        self._entries: SortedDict[bytes, Document] = SortedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, document: Document) -> None:
        self._entries[document.key(self.fields)] = document

    def remove(self, document: Document) -> None:
        del self._entries[document.key(self.fields)]

    def scan(self, interval: Interval, *, descending: bool) -> Iterator[tuple[bytes, Document]]:
        """Entries in order; the index must not change before the iterator is dropped."""
        keys = self._entries.irange(interval.start, interval.end, inclusive=(True, False), reverse=descending)
        return ((key, self._entries[key]) for key in keys)


def terms_of(text: str) -> list[str]:
    """Words in order, lower case, split at everything that is no letter or digit; over-long ones are left out."""
    spaced = "".join(letter if letter.isalnum() else " " for letter in text)
    return [word for word in spaced.lower().split() if len(word) <= MAX_TERM_LENGTH]


class TextIndex:
    """Documents by the words of one string field."""

    def __init__(self, spec: SearchSpec) -> None:
        self.spec = spec
        self.path = tuple(spec.field.split("."))
        self._postings: SortedDict[str, dict[str, int]] = SortedDict()
        self._documents: dict[str, tuple[Document, int]] = {}
        self.total_terms = 0

    def __len__(self) -> int:
        return len(self._documents)

    def words(self, document: Document) -> list[str]:
        """The words of a document; none when the field is missing or no string."""
        text = at_path(document.value, self.path)
        return terms_of(text) if isinstance(text, str) else []

    def add(self, document: Document) -> None:
        words = self.words(document)
        if not words:
            return
        self._documents[document.id] = (document, len(words))
        self.total_terms += len(words)
        for word in words:
            counts = self._postings.setdefault(word, {})
            counts[document.id] = counts.get(document.id, 0) + 1

    def remove(self, document: Document) -> None:
        if self._documents.pop(document.id, None) is None:
            return
        words = self.words(document)
        self.total_terms -= len(words)
        for word in set(words):
            counts = self._postings[word]
            del counts[document.id]
            if not counts:
                del self._postings[word]

    def frequency(self, term: str) -> int:
        """How many documents hold the word."""
        return len(self._postings.get(term, ()))

    def with_prefix(self, prefix: str) -> list[str]:
        """The words that begin so."""
        words = []
        for word in self._postings.irange(prefix):
            if not word.startswith(prefix):
                break
            words.append(word)
        return words

    def holding(self, terms: list[str]) -> Iterator[Document]:
        """The documents that hold any of the words, each once."""
        ids = dict.fromkeys(id_ for term in terms for id_ in self._postings.get(term, ()))
        return (self._documents[id_][0] for id_ in ids)


class VectorIndex:
    """Documents with a vector of the right length in one field."""

    def __init__(self, spec: VectorSpec) -> None:
        self.spec = spec
        self.path = tuple(spec.field.split("."))
        self._units: dict[str, tuple[Document, tuple[float, ...]]] = {}

    def add(self, document: Document) -> None:
        unit = self.unit(at_path(document.value, self.path))
        if unit is not None:
            self._units[document.id] = (document, unit)

    def remove(self, document: Document) -> None:
        self._units.pop(document.id, None)

    def unit(self, vector: Value) -> tuple[float, ...] | None:
        """The vector scaled to length 1 (zero stays zero); None when it is no vector of this index."""
        if not isinstance(vector, list) or len(vector) != self.spec.dimensions:
            return None
        if not all(isinstance(x, float) and math.isfinite(x) for x in vector):
            return None
        length = math.hypot(*vector)
        return tuple(x / length for x in vector) if length else tuple(vector)

    def entries(self) -> Iterator[tuple[Document, tuple[float, ...]]]:
        """All documents with their unit vectors."""
        return iter(self._units.values())
