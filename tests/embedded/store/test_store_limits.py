"""Limits of documents and transactions, in Convex's words, and the metrics of nested calls."""

from __future__ import annotations

from typing import Any

import pytest
from store_world import collect, column, fill, index, ranged, scan, table, world

from convex_embedded.store import TRANSACTION_LIMITS, LimitError, Store, StoreError

ADVICE = (
    " Consider using smaller limits in your queries, paginating your queries, or using indexed queries with a "
    "selective index range expressions."
)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"a": "x" * 1024 * 1024}, "Value is too large (1.00 MiB > maximum size 1 MiB)"),
        ({"f" * 65: 1}, "too long (65 > maximum length 64)"),
        ({"a": nested(17)}, "too nested (maximum nesting 16)"),
        ({"a": [0] * 8193}, "Array length is too long (8193 > maximum length 8192)"),
        ({f"f{n}": 1 for n in range(1025)}, "Object has too many fields (1025 > maximum number 1024)"),
    ],
)
def test_documents_have_limits(document: Any, said: str) -> None:
    store = world(table("t"))
    with store.begin() as tx, pytest.raises(StoreError) as caught:
        tx.insert("", "t", document)
    assert said in str(caught.value)


def test_documents_at_the_limits_are_stored() -> None:
    store = world(table("t"))
    fill(store, "t", {"a": "x" * 1024 * 1023}, {"f" * 64: 1}, {"a": nested(16)}, {"a": [0] * 8192})
    fill(store, "t", {f"f{n}": 1 for n in range(1024)}, {"o": {"k" * 1024: 1}})
    (id_,) = fill(store, "t", {f"f{n}": 1 for n in range(1024)})
    with store.begin() as tx, pytest.raises(LimitError, match="too many fields"):
        tx.patch("", id_, {"one_more": 1})


def test_reading_and_writing_have_limits() -> None:
    store = world(table("t", indexes=[index("by_n", "n")]))
    ids = fill(store, "t", *({"n": n} for n in range(16_000)))
    fill(store, "t", *({"n": n} for n in range(16_001, 32_002)[:16_000]))
    fill(store, "t", {"n": 0})
    with store.begin() as tx:
        with pytest.raises(LimitError) as caught:
            collect(tx, scan("t"), size=5000)
        assert str(caught.value) == (f"Too many documents read in a single function execution (limit: 32000).{ADVICE}")
        assert tx.read_set.tables == {("", "t")}
    with store.begin(trusted=True) as tx:
        assert len(collect(tx, scan("t"), size=5000)) == 32_001
    with store.begin() as tx:
        for id_ in ids[:4096]:
            tx.get("", id_)
        with pytest.raises(LimitError, match=r"Too many reads in a single function execution \(limit: 4096\)\."):
            tx.query("", ranged("t.by_n"))
    with store.begin() as tx:
        for n in range(16_000):
            tx.insert("", "t", {"n": n})
        with pytest.raises(LimitError, match=r"Too many writes in a single function execution \(limit: 16000\)"):
            tx.insert("", "t", {})


def test_bytes_have_limits() -> None:
    store = world(table("t"))
    large = {"a": "x" * 1_000_000}
    ids = []
    with store.begin() as tx:
        for _ in range(16):
            ids.append(tx.insert("", "t", large))
        with pytest.raises(
            LimitError, match=r"Too many bytes written in a single function execution \(limit: 16777216"
        ):
            tx.insert("", "t", large)
        tx.commit()
    ids += fill(store, "t", large)
    with store.begin() as tx:
        for id_ in ids[:16]:
            tx.get("", id_)
        with pytest.raises(LimitError) as caught:
            tx.get("", ids[16])
        assert str(caught.value).startswith(
            "Too many bytes read in a single function execution (limit: 16777216 bytes). Consider"
        )


def test_a_full_database_refuses_more_but_can_be_cleared() -> None:
    store = world(table("t"), max_bytes=10_000)
    (id_,) = fill(store, "t", {"a": "x" * 8000})
    with store.begin() as tx, pytest.raises(LimitError, match="full"):
        tx.insert("", "t", {"a": "x" * 2000})
    with store.begin() as tx:
        tx.delete("", id_)
        tx.commit()
    fill(store, "t", {"a": "x" * 8000})


def test_metrics_count_what_was_used() -> None:
    store = world(table("t"))
    (id_,) = fill(store, "t", {"a": 1})
    with store.begin() as tx:
        assert set(tx.metrics()) == set(TRANSACTION_LIMITS)
        document = tx.get("", id_)
        assert document is not None
        tx.insert("", "t", {"b": 1})
        tx.charge("functionsScheduled", 2)
        metrics = tx.metrics()
        assert metrics["documentsRead"] == {"used": 1.0, "remaining": 31_999.0}
        assert metrics["bytesRead"]["used"] == document.size_bytes == 2 + 23 + 4 + 34 + 11
        assert metrics["documentsWritten"] == {"used": 1.0, "remaining": 15_999.0}
        assert metrics["databaseQueries"] == {"used": 1.0, "remaining": 4095.0}
        assert metrics["functionsScheduled"] == {"used": 2.0, "remaining": 998.0}
        with pytest.raises(LimitError, match=r"Too many functions scheduled by this mutation \(limit: 1000\)"):
            tx.charge("functionsScheduled", 999)


def test_a_nested_call_has_its_own_limits_and_counts_for_its_caller() -> None:
    store = world(table("t"))
    fill(store, "t", *({"n": n} for n in range(10)))
    with store.begin() as tx:
        collect(tx, scan("t", {"limit": 2}))
        point = tx.savepoint({"documentsRead": 3.0, "documentsWritten": 10**9})
        assert tx.metrics()["documentsRead"] == {"used": 0.0, "remaining": 3.0}
        assert tx.metrics()["documentsWritten"]["remaining"] == 16_000.0
        collect(tx, scan("t", {"limit": 3}))
        with pytest.raises(LimitError, match=r"\(limit: 3\)"):
            collect(tx, scan("t", {"limit": 1}))
        used = tx.release(point)
        assert (used.documents_read, used.full_scans) == (3, ("t",))
        assert tx.usage.documents_read == 5
        collect(tx, scan("t"))
        assert tx.usage.documents_read == 15


def test_what_a_failed_nested_call_wrote_is_given_back() -> None:
    store = world(table("t"))
    with store.begin() as tx:
        point = tx.savepoint()
        tx.insert("", "t", {})
        tx.charge("functionsScheduled", 1)
        assert tx.rollback(point).documents_written == 1
        assert tx.usage.documents_written == 0
        assert tx.metrics()["functionsScheduled"]["used"] == 0


def test_too_many_tables() -> None:
    store = Store()
    with store.begin(trusted=True) as tx:
        for n in range(10_000):
            tx.insert("", f"t{n}", {})
        with pytest.raises(LimitError, match="Too many tables"):
            tx.insert("", "one_more", {})
    with store.begin() as tx:
        with pytest.raises(StoreError, match='Invalid table name: ""'):
            tx.insert("", "", {})
        with pytest.raises(StoreError, match="Identifiers must start with a letter"):
            tx.insert("", "a-b", {})
        assert column(tx.newest("", "t1", 1), "_id") == []
