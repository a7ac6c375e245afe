"""Queries: index ranges against a naive model, filters, limits, batches, and pages that stay put under writes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_world import (
    collect,
    column,
    compare,
    fill,
    filtered,
    index,
    ranged,
    scan,
    search_index,
    table,
    world,
)

from convex_embedded.store import UNDEFINED, Document, PageRequest, Store, StoreError, Transaction
from convex_embedded.store.order import sort_key
from convex_embedded.store.values import at_path, decode_or_undefined

FEW: Any = st.sampled_from(
    [{"$undefined": None}, None, 1, 2, 3, True, "a", "b", [1], {"x": 1}, {"$integer": "AgAAAAAAAAA="}]
)


def ab_world() -> Store:
    return world(table("t", indexes=[index("by_a_b", "a", "b"), index("by_deep", "o.x")]))


def document(a: Any, b: Any) -> dict[str, Any]:
    return {name: value for name, value in (("a", a), ("b", b)) if value != {"$undefined": None}}


OPS = {
    "Eq": lambda x, y: x == y,
    "Gt": lambda x, y: x > y,
    "Gte": lambda x, y: x >= y,
    "Lt": lambda x, y: x < y,
    "Lte": lambda x, y: x <= y,
}


def expected(documents: list[Document], comparisons: list[tuple[str, str, Any]], order: str | None) -> list[str]:
    """The range, without an index."""
    kept = [
        one
        for one in documents
        if all(
            OPS[kind](sort_key(at_path(one.value, (field,))), sort_key(decode_or_undefined(value)))
            for kind, field, value in comparisons
        )
    ]

    def key(one: Document) -> Any:
        return tuple(sort_key(one.value.get(name, UNDEFINED)) for name in ("a", "b", "_creationTime"))

    return [one.id for one in sorted(kept, key=key, reverse=order == "desc")]


@st.composite
def ranges(draw: Any) -> list[tuple[str, str, Any]]:
    fields = ["a", "b", "_creationTime"]
    equal = draw(st.integers(0, 2))
    comparisons = [("Eq", fields[i], draw(FEW)) for i in range(equal)]
    for kinds in (("Gt", "Gte"), ("Lt", "Lte")):
        if draw(st.booleans()):
            comparisons.append((draw(st.sampled_from(kinds)), fields[equal], draw(FEW)))
    return comparisons


@settings(max_examples=300, deadline=None)
@given(
    committed=st.lists(st.tuples(FEW, FEW), max_size=12),
    own=st.lists(st.tuples(FEW, FEW), max_size=4),
    others=st.lists(st.tuples(st.integers(0, 11), FEW), max_size=4),
    changes=st.lists(st.tuples(st.integers(0, 11), FEW), max_size=4),
    comparisons=ranges(),
    order=st.sampled_from([None, "asc", "desc"]),
    size=st.integers(1, 5),
)
def test_ranges_read_what_a_full_comparison_finds(
    committed: Any, own: Any, others: Any, changes: Any, comparisons: Any, order: Any, size: int
) -> None:
    store = ab_world()
    ids = fill(store, "t", *(document(a, b) for a, b in committed))
    tx = store.begin()
    for position, value in others:
        if position < len(ids):
            with store.begin() as other:
                if other.get("", ids[position]) is None:
                    continue
                other.delete("", ids[position]) if value is None else other.patch("", ids[position], {"a": value})
                other.insert("", "t", document(value, 1))
                other.commit()
    for position, value in changes:
        if position < len(ids) and tx.get("", ids[position]) is not None:
            tx.delete("", ids[position]) if value is None else tx.patch("", ids[position], {"b": value})
    for a, b in own:
        tx.insert("", "t", document(a, b))
    everything = collect(tx, scan("t"))
    assert len(everything) == tx.count("", "t")
    found = collect(tx, ranged("t.by_a_b", *comparisons, order=order), size=size)
    assert [one.id for one in found] == expected(everything, comparisons, order)
    tx.close()


def test_only_the_rows_of_the_range_are_read() -> None:
    store = ab_world()
    fill(store, "t", *({"a": i % 50, "b": i} for i in range(5000)))
    with store.begin() as tx:
        query = ranged("t.by_a_b", ("Eq", "a", 7), ("Gte", "b", 4000), order="desc", operators=[{"limit": 3}])
        assert column(collect(tx, query), "b") == [4957, 4907, 4857]
        assert (tx.usage.documents_read, tx.usage.index_ranges, tx.usage.indexes) == (3, 1, ("t.by_a_b",))
        assert tx.usage.full_scans == ()
        assert len(collect(tx, scan("t"))) == 5000
        assert tx.usage.full_scans == ("t",)


def test_nested_fields_and_missing_steps() -> None:
    store = ab_world()
    fill(store, "t", {"o": {"x": 2}}, {"o": {}}, {"o": 5}, {"o": {"x": 1}}, {})
    with store.begin() as tx:
        assert column(collect(tx, ranged("t.by_deep")), "o") == [{}, 5, None, {"x": 1}, {"x": 2}]
        assert column(collect(tx, ranged("t.by_deep", ("Gte", "o.x", 2))), "o") == [{"x": 2}]


def test_the_system_indexes_serve_every_table() -> None:
    store = world(table("t"))
    ids = fill(store, "t", {"n": 1}, {"n": 2}, {"n": 3})
    with store.begin() as tx:
        times = column(collect(tx, scan("t")), "_creationTime")
        assert times == sorted(set(times))
        assert column(collect(tx, ranged("t.by_creation_time", ("Gt", "_creationTime", times[0]))), "n") == [2, 3]
        assert column(collect(tx, ranged("t.by_id", ("Eq", "_id", ids[1]))), "n") == [2]
        assert collect(tx, ranged("nowhere.by_id", ("Eq", "_id", ids[1]))) == []
        assert column(collect(tx, scan("t", order="desc")), "n") == [3, 2, 1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (ranged("t.by_x"), "Index t.by_x not found."),
        (ranged("other.by_a_b"), "Index other.by_a_b not found."),
        (ranged("t.by_a_b", ("Eq", "c", 1)), 'included a comparison with "c"'),
        (ranged("t.by_a_b", ("Eq", "b", 1)), "First incorrect field: b"),
        (ranged("t.by_a_b", ("Gt", "a", 1), ("Eq", "b", 1)), "didn't use the index fields in order"),
        (ranged("t.by_a_b", ("Gt", "a", 1), ("Eq", "a", 1)), "didn't use the index fields in order"),
        (ranged("t.by_a_b", ("Gt", "a", 1), ("Gte", "a", 2)), "more than one lower bound"),
        (ranged("t.by_a_b", ("Lt", "a", 1), ("Lte", "a", 2)), "more than one upper bound"),
        (ranged("t.by_staged"), "staged"),
        (scan("t", filtered({"$nope": [{"$literal": 1}, {"$literal": 2}]})), "Unknown operator $nope"),
        (scan("t", filtered({"$eq": [{"$literal": 1}]})), "Unknown operator"),
        (scan("t", {"limit": -1}), "non-negative"),
        (scan("t", {"limit": float("inf")}), "non-negative"),
        (scan("t", order="sideways"), "Unknown order"),
        ({"source": {"type": "FullTableScan"}, "operators": []}, "tableName"),
        ({"source": {"type": "Mystery", "indexName": "t.x"}, "operators": []}, "Unknown query source"),
        (None, "Malformed query"),
    ],
)
def test_queries_that_cannot_run_say_why(query: Any, said: str) -> None:
    store = world(table("t", indexes=[index("by_a_b", "a", "b")], stagedDbIndexes=[index("by_staged", "a")]))
    with store.begin() as tx, pytest.raises(StoreError) as caught:
        tx.query("", query)
    assert said in str(caught.value)


def field(name: str) -> Any:
    return {"$field": name}


def value(wire: Any) -> Any:
    return {"$literal": wire}


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        (compare("$eq", "n", 2), [2]),
        (compare("$neq", "n", 2), [1, 3, None]),
        (compare("$lt", "n", 2), [1, None]),
        (compare("$lte", "n", 2), [1, 2, None]),
        (compare("$gt", "n", 2), [3]),
        (compare("$gte", "n", 2), [2, 3]),
        (compare("$eq", "n", {"$undefined": None}), [None]),
        (compare("$eq", "n", {"$integer": "AgAAAAAAAAA="}), []),
        ({"$and": [compare("$gt", "n", 1), compare("$lt", "n", 3)]}, [2]),
        ({"$or": [compare("$eq", "n", 1), compare("$eq", "n", 3)]}, [1, 3]),
        ({"$and": []}, [1, 2, 3, None]),
        ({"$or": []}, []),
        ({"$not": compare("$eq", "n", 1)}, [2, 3, None]),
        ({"$and": [compare("$gt", "n", 0), {"$eq": [{"$mod": [field("n"), value(2)]}, value(1)]}]}, [1, 3]),
        ({"$and": [compare("$gt", "n", 0), {"$gt": [{"$mul": [field("n"), field("n")]}, value(4)]}]}, [3]),
        ({"$and": [compare("$gt", "n", 0), {"$eq": [{"$div": [field("n"), value(0)]}, value(1)]}]}, []),
        ({"$and": [compare("$gt", "n", 0), {"$eq": [{"$neg": field("n")}, value(-3)]}]}, [3]),
        ({"$eq": [field("o.deep"), value("x")]}, [3]),
        (value(True), [1, 2, 3, None]),
        (value(False), []),
    ],
)
def test_filters(expression: Any, kept: list[Any]) -> None:
    store = world(table("t"))
    fill(store, "t", {"n": 1}, {"n": 2}, {"n": 3, "o": {"deep": "x"}}, {})
    with store.begin() as tx:
        assert column(collect(tx, scan("t", filtered(expression))), "n") == kept
        assert tx.usage.documents_read == 4


def test_arithmetic_needs_numbers_of_one_kind() -> None:
    store = world(table("t"))
    fill(store, "t", {"s": "x", "n": 1})
    for bad in ("s", "missing"):
        with store.begin() as tx, pytest.raises(StoreError, match=r"q\.add"):
            collect(tx, scan("t", filtered({"$eq": [{"$add": [field(bad), field("n")]}, value(1)]})))


def test_operators_apply_in_order() -> None:
    store = world(table("t"))
    fill(store, "t", *({"n": n} for n in range(10)))
    odd = filtered({"$eq": [{"$mod": [field("n"), value(2)]}, value(1)]})
    with store.begin() as tx:
        for size in (1, 2, 100):
            assert column(collect(tx, scan("t", odd, {"limit": 2}), size=size), "n") == [1, 3]
            assert column(collect(tx, scan("t", {"limit": 3}, odd), size=size), "n") == [1]
            assert collect(tx, scan("t", {"limit": 0}), size=size) == []


def test_a_stream_sees_writes_ahead_of_it() -> None:
    store = world(table("t"))
    ids = fill(store, "t", {"n": 0}, {"n": 1}, {"n": 2})
    with store.begin() as tx:
        first = tx.query("", scan("t"), size=1)
        tx.delete("", ids[1])
        tx.insert("", "t", {"n": 3})
        rest = tx.query("", scan("t"), cursor=first.cursor)
        assert column(rest.documents, "n") == [2, 3]


@pytest.mark.parametrize("cursor", ["", "x", "a.b.c", "a.key.!!", "a.key.AAAA.1", "a.key.AAAA.-1"])
def test_foreign_batch_cursors_are_refused(cursor: str) -> None:
    store = world(table("t"))
    with store.begin() as tx, pytest.raises(StoreError, match="InvalidCursor"):
        tx.query("", scan("t", {"limit": 2}), cursor=cursor)


# Pages


def page(tx: Transaction, query: Any, size: int, cursor: str | None = None, end: str | None = None, **more: Any) -> Any:
    args = {"query": query, "cursor": cursor, "pageSize": size, "endCursor": end, **more}
    return tx.page("", PageRequest.parse(args))


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_go_through_everything_once(order: str) -> None:
    store = ab_world()
    fill(store, "t", *({"a": n} for n in range(7)))
    seen: list[Any] = []
    cursor = None
    sizes = []
    while True:
        with store.begin() as tx:
            got = page(tx, ranged("t.by_a_b", order=order), 3, cursor)
        seen += column(got.documents, "a")
        sizes.append(len(got.documents))
        cursor = got.continue_cursor
        if got.is_done:
            break
    assert seen == sorted(range(7), reverse=order == "desc")
    assert sizes == [3, 3, 1]
    with store.begin() as tx:
        after = page(tx, ranged("t.by_a_b", order=order), 3, cursor)
    assert (after.documents, after.is_done, after.continue_cursor) == ((), True, cursor)


@settings(max_examples=150, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 20), unique=True, max_size=10),
    writes=st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=10),
    order=st.sampled_from(["asc", "desc"]),
    size=st.integers(1, 4),
)
def test_pages_stay_put_under_writes(numbers: Any, writes: Any, order: str, size: int) -> None:
    """Whatever is written between pages: nothing twice, nothing skipped that was there all the time, all in order."""
    store = ab_world()
    ids = dict(zip(numbers, fill(store, "t", *({"a": n} for n in numbers)), strict=True))
    steady, seen, cursor, pending = set(numbers), [], None, list(writes)
    while True:
        with store.begin() as tx:
            got = page(tx, ranged("t.by_a_b", order=order), size, cursor)
        seen += [int(n) for n in column(got.documents, "a")]
        cursor = got.continue_cursor
        if got.is_done:
            break
        if pending:
            add, number = pending.pop()
            with store.begin() as tx:
                if add and number not in ids:
                    ids[number] = tx.insert("", "t", {"a": number})
                elif not add and number in ids:
                    tx.delete("", ids.pop(number))
                    steady.discard(number)
                tx.commit()
    assert seen == sorted(seen, reverse=order == "desc")
    assert len(seen) == len(set(seen))
    assert steady <= set(seen)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_an_end_cursor_pins_the_end_of_a_page(order: str) -> None:
    store = ab_world()
    fill(store, "t", *({"a": n} for n in range(0, 60, 10)))
    query = ranged("t.by_a_b", order=order)
    with store.begin() as tx:
        first = page(tx, query, 2)
    with store.begin() as tx:
        second = page(tx, query, 2, first.continue_cursor)
    fill(store, "t", {"a": 5}, {"a": 15}, {"a": 25}, {"a": 35}, {"a": 45})
    with store.begin() as tx:
        again = page(tx, query, 2, None, first.continue_cursor)
    with store.begin() as tx:
        then = page(tx, query, 2, first.continue_cursor, second.continue_cursor)
    both = column(again.documents, "a") + column(then.documents, "a")
    assert both == ([0, 5, 10, 15, 20, 25, 30] if order == "asc" else [50, 45, 40, 35, 30, 25, 20])
    assert (again.continue_cursor, again.is_done) == (first.continue_cursor, False)
    with store.begin() as tx:
        halves = [*page(tx, query, 2, None, again.split_cursor).documents]
    with store.begin() as tx:
        halves += page(tx, query, 2, again.split_cursor, first.continue_cursor).documents
    assert halves == list(again.documents)


def test_the_journal_keeps_the_end_of_a_live_page() -> None:
    store = ab_world()
    fill(store, "t", {"a": 1}, {"a": 3}, {"a": 5})
    query = ranged("t.by_a_b")
    with store.begin() as tx:
        assert column(page(tx, query, 2).documents, "a") == [1, 3]
        journal = tx.journal
    fill(store, "t", {"a": 2})
    with store.begin(journal=journal) as tx:
        assert column(page(tx, query, 2).documents, "a") == [1, 2, 3]
        assert tx.journal == journal
    with store.begin(journal=journal) as tx:
        assert column(page(tx, ranged("t.by_a_b", order="desc"), 2).documents, "a") == [5, 3]


def test_filtered_rows_count_for_the_position() -> None:
    store = ab_world()
    fill(store, "t", *({"a": n} for n in range(10)))
    query = ranged("t.by_a_b", operators=[filtered(compare("$gte", "a", 6))])
    with store.begin() as tx:
        got = page(tx, query, 1)
        assert (column(got.documents, "a"), tx.usage.documents_read) == ([6], 7)
    with store.begin() as tx:
        cut = page(tx, query, 1, maximumRowsRead=3)
        assert (cut.documents, cut.is_done, cut.status, tx.usage.documents_read) == ((), False, "SplitRequired", 3)
    with store.begin() as tx:
        assert column(page(tx, query, 9, cut.continue_cursor).documents, "a") == [6, 7, 8, 9]


def test_a_cursor_is_good_for_its_query_only() -> None:
    store = ab_world()
    fill(store, "t", {"a": 1}, {"a": 2})
    with store.begin() as tx:
        cursor = page(tx, scan("t"), 1).continue_cursor
    with store.begin() as tx, pytest.raises(StoreError, match="different query"):
        page(tx, scan("t", order="desc"), 1, cursor)
    with store.begin() as tx, pytest.raises(StoreError, match="InvalidCursor"):
        page(tx, scan("t"), 1, "made up")


def test_one_function_reads_one_page() -> None:
    store = ab_world()
    with store.begin() as tx:
        page(tx, scan("t"), 1)
        nested = tx.savepoint()
        page(tx, scan("t"), 1)
        tx.release(nested)
        with pytest.raises(StoreError, match="multiple paginated queries"):
            page(tx, scan("t"), 1)


def test_a_page_of_nothing_stays_where_it_is() -> None:
    store = ab_world()
    fill(store, "t", {"a": 1})
    with store.begin() as tx:
        nothing = page(tx, scan("t"), 0)
    assert (nothing.documents, nothing.is_done) == ((), False)
    with store.begin() as tx:
        assert len(page(tx, scan("t"), 5, nothing.continue_cursor).documents) == 1


def test_pages_answer_as_the_syscall_does() -> None:
    store = world(table("t", searchIndexes=[search_index("s", "x")]))
    (id_,) = fill(store, "t", {"x": "y"})
    with store.begin() as tx:
        answer = page(tx, scan("t"), 5).to_json()
    assert set(answer) == {"page", "isDone", "continueCursor", "splitCursor", "pageStatus"}
    assert answer["page"][0]["_id"] == id_
    assert answer["isDone"] is True


@pytest.mark.parametrize(
    "args", [None, {}, {"pageSize": -1}, {"pageSize": "5"}, {"pageSize": 1, "cursor": 7}, {"pageSize": True}]
)
def test_malformed_page_requests_are_refused(args: Any) -> None:
    with pytest.raises(StoreError):
        PageRequest.parse(args)
