"""A tiny world for tests of the store: schema JSON and query JSON as the npm package convex writes them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from convex_embedded.store import Document, Store, Transaction

STRING: Any = {"type": "string"}
NUMBER: Any = {"type": "number"}
INT64: Any = {"type": "bigint"}
ANY: Any = {"type": "any"}
NULL: Any = {"type": "null"}


def id_of(table: str) -> Any:
    return {"type": "id", "tableName": table}


def literal(value: Any) -> Any:
    return {"type": "literal", "value": value}


def array(inner: Any) -> Any:
    return {"type": "array", "value": inner}


def union(*members: Any) -> Any:
    return {"type": "union", "value": list(members)}


def record(keys: Any, values: Any) -> Any:
    return {"type": "record", "keys": keys, "values": {"fieldType": values, "optional": False}}


def optional(inner: Any) -> Any:
    return ("optional", inner)


def obj(**fields: Any) -> Any:
    return {
        "type": "object",
        "value": {
            name: {"fieldType": field[1], "optional": True}
            if isinstance(field, tuple)
            else {"fieldType": field, "optional": False}
            for name, field in fields.items()
        },
    }


def index(name: str, *fields: str) -> Any:
    return {"indexDescriptor": name, "fields": list(fields)}


def search_index(name: str, field: str, *filters: str) -> Any:
    return {"indexDescriptor": name, "searchField": field, "filterFields": list(filters)}


def vector_index(name: str, field: str, dimensions: float, *filters: str) -> Any:
    return {"indexDescriptor": name, "vectorField": field, "dimensions": dimensions, "filterFields": list(filters)}


def table(name: str, document: Any = ANY, **lists: Any) -> Any:
    """`lists`: indexes, stagedDbIndexes, searchIndexes, … as `export()` names them."""
    names = [
        "indexes",
        "stagedDbIndexes",
        "searchIndexes",
        "stagedSearchIndexes",
        "vectorIndexes",
        "stagedVectorIndexes",
    ]
    assert set(lists) <= set(names)
    return {"tableName": name, **{one: lists.get(one, []) for one in names}, "documentType": document}


def schema(*tables: Any, validation: bool = True) -> str:
    return json.dumps({"tables": list(tables), "schemaValidation": validation})


def ticking_clock(start_ms: int = 1_700_000_000_000) -> Callable[[], int]:
    """A clock that moves by one millisecond each time it is read."""
    ticks = itertools.count(start_ms)
    return lambda: next(ticks) * 1_000_000


def world(*tables: Any, validation: bool = True, **options: Any) -> Store:
    store = Store(clock_ns=ticking_clock(), **options)
    store.push({"": schema(*tables, validation=validation)})
    return store


def fill(store: Store, name: str, *documents: Any, component: str = "") -> list[str]:
    with store.begin() as tx:
        ids = [tx.insert(component, name, document) for document in documents]
        tx.commit()
    return ids


def scan(name: str, *operators: Any, order: str | None = None) -> Any:
    return {"source": {"type": "FullTableScan", "tableName": name, "order": order}, "operators": list(operators)}


def ranged(name: str, *comparisons: Any, order: str | None = None, operators: Any = ()) -> Any:
    """`comparisons`: ("Eq" | "Gt" | …, field, wire value)."""
    expressions = [{"type": kind, "fieldPath": field, "value": value} for kind, field, value in comparisons]
    source = {"type": "IndexRange", "indexName": name, "range": expressions, "order": order}
    return {"source": source, "operators": list(operators)}


def text_search(name: str, field: str, words: str, *equalities: tuple[str, Any], operators: Any = ()) -> Any:
    filters: list[Any] = [{"type": "Search", "fieldPath": field, "value": words}]
    filters += [{"type": "Eq", "fieldPath": path, "value": value} for path, value in equalities]
    return {"source": {"type": "Search", "indexName": name, "filters": filters}, "operators": list(operators)}


def filtered(expression: Any) -> Any:
    return {"filter": expression}


def compare(operator: str, field: str, value: Any) -> Any:
    return {operator: [{"$field": field}, {"$literal": value}]}


def collect(tx: Transaction, query: Any, *, component: str = "", size: int = 100) -> list[Document]:
    """All results of a query, batch by batch."""
    documents: list[Document] = []
    cursor = None
    while True:
        batch = tx.query(component, query, cursor=cursor, size=size)
        documents += batch.documents
        cursor = batch.cursor
        if cursor is None:
            return documents


def column(documents: Any, field: str) -> list[Any]:
    return [document.json.get(field) for document in documents]
