"""Transactions: snapshots, conflicts, sub-transactions, live read sets; any interleaving is as good as a queue."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_world import (
    INT64,
    STRING,
    collect,
    column,
    compare,
    fill,
    filtered,
    index,
    obj,
    ranged,
    scan,
    schema,
    search_index,
    table,
    text_search,
    world,
)

from convex_embedded.store import Conflict, InvalidValue, PageRequest, Store, StoreError, decode


def one_table() -> Store:
    return world(table("t", indexes=[index("by_a", "a")], searchIndexes=[search_index("s", "text", "a")]))


def test_writes_show_inside_at_once_and_outside_at_commit() -> None:
    store = one_table()
    with store.begin() as tx, store.begin() as other:
        id_ = tx.insert("", "t", {"a": 1})
        assert tx.get("", id_).json["a"] == 1  # type: ignore[union-attr]
        assert column(collect(tx, ranged("t.by_a")), "a") == [1]
        assert other.get("", id_) is None
        commit = tx.commit()
        assert other.get("", id_) is None
        assert collect(other, ranged("t.by_a")) == []
    assert commit.ts_ns == store.last_ts_ns
    assert [(write.old, write.new.id) for write in commit.writes if write.new] == [(None, id_)]
    with store.begin() as later:
        assert later.get("", id_) is not None


def test_a_reader_keeps_its_snapshot() -> None:
    store = one_table()
    first, second = fill(store, "t", {"a": 1}, {"a": 2})
    reader = store.begin()
    assert reader.get("", first).json["a"] == 1  # type: ignore[union-attr]
    with store.begin() as tx:
        tx.patch("", first, {"a": 10})
        tx.delete("", second)
        tx.insert("", "t", {"a": 3})
        tx.commit()
    with store.begin() as tx:
        tx.patch("", first, {"a": 20})
        tx.commit()
    assert column(collect(reader, ranged("t.by_a")), "a") == [1, 2]
    assert reader.get("", second).json["a"] == 2  # type: ignore[union-attr]
    assert reader.count("", "t") == 2
    assert reader.commit().writes == ()
    with store.begin() as now:
        assert column(collect(now, ranged("t.by_a")), "a") == [3, 20]


def test_a_table_first_looked_at_late_is_still_as_it_was_at_the_begin() -> None:
    store = one_table()
    first, second = fill(store, "t", {"a": 1}, {"a": 2})
    reader = store.begin()
    touch(store, lambda tx: tx.patch("", first, {"a": 10}))
    touch(store, lambda tx: (tx.patch("", first, {"a": 11}), tx.delete("", second), tx.insert("", "t", {"a": 3})))
    assert column(collect(reader, ranged("t.by_a")), "a") == [1, 2]
    assert reader.get("", first).json["a"] == 1  # type: ignore[union-attr]
    reader.close()


def test_uncommitted_writes_are_dropped() -> None:
    store = one_table()
    with store.begin() as tx:
        tx.insert("", "t", {})
    with store.begin() as tx:
        assert tx.count("", "t") == 0
    assert store.tables("") == ("t",)


def touch(store: Store, change: Any) -> None:
    with store.begin() as tx:
        change(tx)
        tx.commit()


READS: dict[str, Any] = {
    "get": lambda tx, ids: tx.get("", ids[0]),
    "range": lambda tx, ids: collect(tx, ranged("t.by_a", ("Gte", "a", 1), ("Lt", "a", 3))),
    "first": lambda tx, ids: collect(tx, ranged("t.by_a", operators=[{"limit": 1}])),
    "last": lambda tx, ids: collect(tx, ranged("t.by_a", order="desc", operators=[{"limit": 1}])),
    "filtered": lambda tx, ids: collect(
        tx, ranged("t.by_a", ("Eq", "a", 2), operators=[filtered(compare("$eq", "a", 0))])
    ),
    "scan": lambda tx, ids: collect(tx, scan("t")),
    "count": lambda tx, ids: tx.count("", "t"),
    "page": lambda tx, ids: tx.page("", PageRequest(ranged("t.by_a"), None, 2)),
    "search": lambda tx, ids: collect(tx, text_search("t.s", "text", "hel")),
    "newest": lambda tx, ids: tx.newest("", "t", 1),
    "nothing": lambda tx, ids: None,
}
WRITES: dict[str, Any] = {
    "patch 1": lambda tx, ids: tx.patch("", ids[0], {"b": 1}),
    "move 5 to 2": lambda tx, ids: tx.patch("", ids[2], {"a": 2}),
    "delete 5": lambda tx, ids: tx.delete("", ids[2]),
    "insert 2": lambda tx, ids: tx.insert("", "t", {"a": 2}),
    "insert 9": lambda tx, ids: tx.insert("", "t", {"a": 9}),
    "insert hello": lambda tx, ids: tx.insert("", "t", {"a": 7, "text": "oh Hello"}),
    "other table": lambda tx, ids: tx.insert("", "u", {"a": 2}),
    "other component": lambda tx, ids: tx.insert("child", "t", {"a": 2}),
}
TOUCHES = {
    "get": {"patch 1"},
    "range": {"patch 1", "move 5 to 2", "insert 2"},
    "first": {"patch 1"},
    "last": {"move 5 to 2", "delete 5", "insert 9", "insert hello"},
    "filtered": {"move 5 to 2", "insert 2"},
    "scan": {"patch 1", "move 5 to 2", "delete 5", "insert 2", "insert 9", "insert hello"},
    "count": {"patch 1", "move 5 to 2", "delete 5", "insert 2", "insert 9", "insert hello"},
    "page": {"patch 1", "move 5 to 2", "insert 2"},
    "search": {"insert hello"},
    "newest": {"patch 1", "move 5 to 2", "delete 5", "insert 2", "insert 9", "insert hello"},
    "nothing": set[str](),
}


@pytest.mark.parametrize(("read", "write"), list(itertools.product(READS, WRITES)))
def test_a_read_set_is_touched_by_what_could_change_it(read: str, write: str) -> None:
    """The same answer for a live query, for `stale` and for a conflict."""
    store = one_table()
    ids = fill(store, "t", {"a": 1}, {"a": 3}, {"a": 5})
    reader, writer = store.begin(), store.begin()
    READS[read](reader, ids)
    READS[read](writer, ids)
    writer.insert("", "log", {})
    with store.begin() as other:
        WRITES[write](other, ids)
        commit = other.commit()
    touched = write in TOUCHES[read]
    assert reader.stale is touched
    assert reader.read_set.touched_by(commit.writes) is touched
    if touched:
        with pytest.raises(Conflict) as caught:
            writer.commit()
        assert caught.value.table == "t"
    else:
        writer.commit()
    reader.close()


def test_a_deleted_and_an_absent_document_conflict_too() -> None:
    store = one_table()
    (id_,) = fill(store, "t", {"a": 1})
    touch(store, lambda tx: tx.delete("", id_))
    with store.begin() as tx:
        assert tx.get("", id_) is None
        assert tx.read_set.tables == {("", "t")}


def test_lost_updates_are_impossible() -> None:
    store = one_table()
    (id_,) = fill(store, "t", {"n": 0})
    done = 0
    for _ in range(20):
        rivals = [store.begin() for _ in range(3)]
        for tx in rivals:
            tx.patch("", id_, {"n": tx.get("", id_).json["n"] + 1})  # type: ignore[union-attr]
        for tx in rivals:
            try:
                tx.commit()
                done += 1
            except Conflict:
                pass
    with store.begin() as tx:
        assert tx.get("", id_).json["n"] == done == 20  # type: ignore[union-attr]


def test_write_skew_is_impossible() -> None:
    store = one_table()
    a, b = fill(store, "t", {"a": 1}, {"a": 1})
    one, two = store.begin(), store.begin()
    for tx, mine in ((one, a), (two, b)):
        assert len(collect(tx, ranged("t.by_a", ("Eq", "a", 1)))) == 2
        tx.patch("", mine, {"a": 0})
    one.commit()
    with pytest.raises(Conflict):
        two.commit()


@settings(max_examples=200, deadline=None)
@given(
    plans=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["read", "sum", "write", "copy", "drop", "add"]), st.integers(0, 3)), max_size=4
        ),
        min_size=2,
        max_size=4,
    ),
    data=st.data(),
)
def test_committed_transactions_are_as_good_as_one_after_the_other(plans: Any, data: Any) -> None:
    """Interleave; replay the winners in commit order on a fresh store; what each read and the end must be the same."""

    def fresh() -> tuple[Store, list[str]]:
        store = one_table()
        return store, fill(store, "t", *({"a": n} for n in range(4)))

    def step(tx: Any, ids: list[str], action: str, number: int, seen: list[Any]) -> None:
        found = tx.get("", ids[number])
        if action == "read":
            seen.append(found and found.json["a"])
        elif action == "sum":
            seen.append(column(collect(tx, ranged("t.by_a", ("Gte", "a", number))), "a"))
        elif action == "add":
            tx.insert("", "t", {"a": tx.count("", "t")})
        elif found is not None and action == "drop":
            tx.delete("", ids[number])
        elif found is not None:
            source = tx.get("", ids[(number + 1) % 4])
            tx.patch("", ids[number], {"a": 100 if action == "write" or source is None else source.json["a"] + 1})

    store, ids = fresh()
    running = [(store.begin(), list(plan), plan, []) for plan in plans]
    winners = []
    while running:
        chosen = data.draw(st.integers(0, len(running) - 1))
        tx, todo, plan, seen = running[chosen]
        if todo:
            step(tx, ids, *todo.pop(0), seen)
            continue
        try:
            wrote = bool(tx.commit().writes)
            if wrote:
                winners.append((plan, seen))
        except Conflict:
            pass
        running.pop(chosen)
    serial, serial_ids = fresh()
    for plan, seen in winners:
        with serial.begin() as tx:
            again: list[Any] = []
            for action, number in plan:
                step(tx, serial_ids, action, number, again)
            tx.commit()
        assert again == seen
    with store.begin() as left, serial.begin() as right:
        assert column(collect(left, ranged("t.by_a")), "a") == column(collect(right, ranged("t.by_a")), "a")


def test_a_sub_transaction_rolls_back_alone() -> None:
    store = one_table()
    kept, changed = fill(store, "t", {"a": 1}, {"a": 2})
    with store.begin() as tx:
        tx.patch("", kept, {"a": 10})
        outer = tx.savepoint()
        tx.patch("", kept, {"a": 11})
        tx.delete("", changed)
        inner = tx.savepoint()
        lost = tx.insert("", "t", {"a": 12})
        tx.patch("", kept, {"a": 13})
        assert column(collect(tx, ranged("t.by_a")), "a") == [12, 13]
        tx.rollback(inner)
        assert column(collect(tx, ranged("t.by_a")), "a") == [11]
        tx.rollback(outer)
        assert column(collect(tx, ranged("t.by_a")), "a") == [2, 10]
        assert tx.get("", lost) is None
        well = tx.savepoint()
        tx.insert("", "t", {"a": 5})
        tx.release(well)
        commit = tx.commit()
    assert len(commit.writes) == 2
    with store.begin() as tx:
        assert column(collect(tx, ranged("t.by_a")), "a") == [2, 5, 10]


def test_roll_back_shows_the_snapshot_again_when_others_committed_meanwhile() -> None:
    store = one_table()
    (id_,) = fill(store, "t", {"a": 1})
    tx = store.begin()
    point = tx.savepoint()
    tx.patch("", id_, {"a": 2})
    touch(store, lambda other: other.patch("", id_, {"a": 99}))
    assert tx.get("", id_).json["a"] == 2  # type: ignore[union-attr]
    tx.rollback(point)
    assert tx.get("", id_).json["a"] == 1  # type: ignore[union-attr]
    assert column(collect(tx, ranged("t.by_a")), "a") == [1]
    tx.close()


def test_reads_of_a_rolled_back_part_still_conflict() -> None:
    store = one_table()
    (id_,) = fill(store, "t", {"a": 1})
    with store.begin() as tx:
        point = tx.savepoint()
        tx.get("", id_)
        tx.rollback(point)
        tx.insert("", "log", {})
        touch(store, lambda other: other.patch("", id_, {"a": 2}))
        with pytest.raises(Conflict):
            tx.commit()


def test_patch_replace_delete() -> None:
    store = one_table()
    (id_,) = fill(store, "t", {"a": 1, "b": 2, "c": {"x": 1}})
    with store.begin() as tx:
        before = tx.get("", id_).json  # type: ignore[union-attr]
        tx.patch("", id_, {"b": {"$undefined": None}, "c": {"y": 2}, "_id": id_})
        assert tx.get("", id_).json == {  # type: ignore[union-attr]
            "_id": id_,
            "_creationTime": before["_creationTime"],
            "a": 1,
            "c": {"y": 2},
        }
        tx.replace("", id_, {"z": 1})
        assert tx.get("", id_).json == {"_id": id_, "_creationTime": before["_creationTime"], "z": 1}  # type: ignore[union-attr]
        tx.delete("", id_, table="t")
        assert tx.get("", id_) is None
        for act, verb in (
            (lambda: tx.patch("", id_, {}), "Update"),
            (lambda: tx.replace("", id_, {}), "Replace"),
            (lambda: tx.delete("", id_), "Delete"),
        ):
            with pytest.raises(StoreError, match=f"{verb} on nonexistent document ID {id_}"):
                act()


def test_system_fields_cannot_be_written() -> None:
    store = one_table()
    (id_,) = fill(store, "t", {})
    with store.begin() as tx:
        for write in (
            lambda: tx.insert("", "t", {"_id": id_}),
            lambda: tx.insert("", "t", {"_creationTime": 1}),
            lambda: tx.insert("", "t", {"_other": 1}),
            lambda: tx.patch("", id_, {"_creationTime": 1}),
            lambda: tx.patch("", id_, {"_id": {"$undefined": None}}),
            lambda: tx.replace("", id_, {"_id": "x"}),
            lambda: tx.insert("", "t", {"has space": 1}),
            lambda: tx.insert("", "t", [1]),
        ):
            with pytest.raises(InvalidValue):
                write()


def test_ids_are_checked_before_use() -> None:
    store = world(table("t"), table("u"))
    (id_,) = fill(store, "t", {})
    with store.begin() as tx:
        with pytest.raises(
            StoreError, match=r"Invalid argument `id` for `db.get`: Unable to decode ID: Invalid ID length 3"
        ):
            tx.get("", "abc")
        with pytest.raises(StoreError, match=r"Expected an ID of table `u`, got ID `.*` from table `t`"):
            tx.get("", id_, table="u")
        with pytest.raises(StoreError, match=r"db.delete"):
            tx.delete("", id_, table="u")
        assert tx.get("child", id_) is None
        assert tx.normalize_id("", "t", id_) == id_
        assert tx.normalize_id("", "u", id_) is None
        assert tx.normalize_id("", "t", "nonsense") is None
        assert tx.normalize_id("child", "t", id_) is None


def test_system_tables_are_written_by_the_trusted_side_only() -> None:
    store = one_table()
    metadata = {"sha256": "x", "size": 3, "contentType": "text/plain"}
    with store.begin() as tx, pytest.raises(StoreError, match="read-only"):
        tx.insert("", "_storage", metadata)
    with store.begin(trusted=True) as tx:
        id_ = tx.insert("", "_storage", metadata)
        with pytest.raises(StoreError, match='table "_storage"'):
            tx.insert("", "_storage", {"sha256": 1})
        tx.commit()
    with store.begin() as tx:
        assert tx.get("", id_, system=True).json["size"] == 3  # type: ignore[union-attr]
        assert column(collect(tx, scan("_storage")), "sha256") == ["x"]
        with pytest.raises(StoreError, match="System tables"):
            tx.get("", id_)
        with pytest.raises(StoreError, match="read-only"):
            tx.delete("", id_)
    assert store.tables("") == ("t",)
    assert {"_storage", "_scheduled_functions", "t"} <= set(store.table_numbers(""))
    assert store.table_of("", id_) == "_storage"


def test_components_have_their_own_tables() -> None:
    store = one_table()
    store.push({"child": schema(table("t", obj(x=STRING)))})
    fill(store, "t", {"x": "theirs"}, component="child")
    with store.begin() as tx:
        assert tx.count("", "t") == 0
        assert column(collect(tx, scan("t"), component="child"), "x") == ["theirs"]
        with pytest.raises(StoreError):
            tx.insert("child", "t", {"x": 1})
        tx.insert("", "t", {"x": 1})


def test_timestamps_grow_when_the_clock_does_not() -> None:
    store = Store(clock_ns=lambda: 5_000_000)
    commits = []
    for _ in range(3):
        with store.begin() as tx:
            tx.insert("", "t", {})
            tx.insert("", "t", {})
            commits.append(tx.commit().ts_ns)
    assert commits == sorted(set(commits))
    with store.begin() as tx:
        times = column(collect(tx, scan("t")), "_creationTime")
        assert times == sorted(set(times))
        assert len(times) == 6
        assert tx.begin_ts_ns == commits[-1]


def test_the_commit_timestamp_takes_the_place_of_its_placeholder() -> None:
    document = obj(at={"type": "commitTs"})
    store = world(table("t", document, indexes=[index("by_at", "at")]))
    with store.begin() as tx:
        id_ = tx.insert("", "t", {"at": {"$commitTs": None}})
        assert tx.get("", id_).json["at"] == {"$commitTs": None}  # type: ignore[union-attr]
        commit = tx.commit()
    with store.begin() as tx:
        stored = collect(tx, ranged("t.by_at"))[0]
        assert stored.value["at"] == decode(stored.json["at"]) == commit.ts_ns
    store.push({"": schema(table("t", obj(at=INT64)))})


def test_a_deploy_ends_open_transactions() -> None:
    store = one_table()
    tx, writer = store.begin(), store.begin()
    writer.insert("", "t", {})
    store.push({"": schema(table("t"))})
    with pytest.raises(Conflict) as caught:
        collect(tx, ranged("t.by_a"))
    assert caught.value.table is None
    assert tx.stale
    with pytest.raises(Conflict):
        writer.commit()
    tx.close()


def test_newest_and_clear() -> None:
    store = one_table()
    fill(store, "t", *({"a": n, "pad": "x" * 100} for n in range(25)))
    with store.begin(trusted=True) as tx:
        assert column(tx.newest("", "t", 3), "a") == [24, 23, 22]
        assert tx.newest("", "nowhere", 3) == []
        first = tx.clear_page("", "t", rows=10)
        assert (first.deleted, first.has_more) == (10, True)
        assert first.cursor is not None
        tx.commit()
    deleted = []
    cursor = first.cursor
    while cursor is not None:
        with store.begin(trusted=True) as tx:
            cleared = tx.clear_page("", "t", cursor, size_bytes=1000)
            deleted.append(cleared.deleted)
            cursor = cleared.cursor
            tx.commit()
    assert sum(deleted) == 15
    assert len(deleted) > 1
    with store.begin(trusted=True) as tx:
        assert tx.count("", "t") == 0
        assert tx.clear_page("", "t").has_more is False
        assert tx.clear_page("", "nowhere").deleted == 0


def test_the_trusted_side_writes_system_tables_inside_a_call() -> None:
    store = one_table()
    with store.begin() as tx:
        point = tx.savepoint({"documentsWritten": 0})
        with tx.as_system():
            id_ = tx.insert("", "_storage", {"sha256": "x", "size": 1})
        assert tx.metrics()["documentsWritten"]["used"] == 0
        with pytest.raises(StoreError, match="read-only"):
            tx.delete("", id_)
        tx.rollback(point)
        assert tx.commit().writes == ()
