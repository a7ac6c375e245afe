"""Search: words, prefixes, filters and ranks; vectors, their filters and limits."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_world import collect, column, fill, search_index, table, text_search, vector_index, world

from convex_embedded.store import PageRequest, Store, StoreError
from convex_embedded.store.indexes import terms_of


def library() -> Store:
    store = world(table("books", searchIndexes=[search_index("by_title", "title", "genre", "meta.year")]))
    fill(
        store,
        "books",
        {"title": "The Quick brown fox", "genre": "tale", "meta": {"year": 1}},
        {"title": "quick, QUICK! quick?", "genre": "drama", "meta": {"year": 2}},
        {"title": "Foxglove and other plants", "genre": "tale"},
        {"title": "Ça brûle à l'été", "genre": "drama"},
        {"genre": "tale"},
        {"title": 7},
    )
    return store


def titles(store: Store, words: str, *equalities: tuple[str, Any], operators: Any = ()) -> list[Any]:
    with store.begin() as tx:
        return column(
            collect(tx, text_search("books.by_title", "title", words, *equalities, operators=operators)), "title"
        )


def test_words_match_whatever_their_case_and_punctuation() -> None:
    store = library()
    assert titles(store, "BROWN") == ["The Quick brown fox"]
    assert titles(store, "l été") == ["Ça brûle à l'été"]
    assert terms_of("Hello, it's 2 o'clock! " + "x" * 33) == ["hello", "it", "s", "2", "o", "clock"]


def test_the_last_word_matches_as_a_prefix_and_the_others_do_not() -> None:
    store = library()
    assert set(titles(store, "fox")) == {"The Quick brown fox", "Foxglove and other plants"}
    assert titles(store, "fo plants") == ["Foxglove and other plants"]
    assert titles(store, "plants fo")[0] == "Foxglove and other plants"
    assert titles(store, "ox") == []


def test_any_word_suffices_and_more_matches_rank_higher() -> None:
    store = library()
    assert titles(store, "brown quick") == ["The Quick brown fox", "quick, QUICK! quick?"]
    assert titles(store, "quick nothing")[0] == "quick, QUICK! quick?"
    assert titles(store, "fox")[0] == "The Quick brown fox"


def test_equal_ranks_come_newest_first() -> None:
    store = world(table("books", searchIndexes=[search_index("by_title", "title")]))
    fill(store, "books", *({"title": "same", "n": n} for n in range(3)))
    with store.begin() as tx:
        found = collect(tx, text_search("books.by_title", "title", "same"), size=2)
        assert column(found, "n") == [2, 1, 0]
        assert tx.usage.indexes == ("books.by_title",)
        assert tx.usage.documents_read == 3


def test_filters_narrow_and_undefined_means_missing() -> None:
    store = library()
    assert titles(store, "quick", ("genre", "tale")) == ["The Quick brown fox"]
    assert titles(store, "quick", ("genre", "tale"), ("meta.year", 2)) == []
    assert titles(store, "foxglove", ("meta.year", {"$undefined": None})) == ["Foxglove and other plants"]
    limit_one = [{"filter": {"$eq": [{"$field": "genre"}, {"$literal": "drama"}]}}, {"limit": 1}]
    assert titles(store, "quick", operators=limit_one) == ["quick, QUICK! quick?"]


def test_no_words_no_results() -> None:
    store = library()
    assert titles(store, "") == []
    assert titles(store, " ,. ") == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (text_search("books.nope", "title", "x"), "Index books.nope not found."),
        (text_search("books.by_title", "genre", "x"), "search field of the index is"),
        (text_search("books.by_title", "title", "x", ("title", "y")), "isn't indexed for filtering"),
        (
            {"source": {"type": "Search", "indexName": "books.by_title", "filters": []}, "operators": []},
            "exactly one search filter",
        ),
        (
            {
                "source": {
                    "type": "Search",
                    "indexName": "books.by_title",
                    "filters": [{"type": "Search", "fieldPath": "title", "value": 3}],
                },
                "operators": [],
            },
            "Malformed",
        ),
        (text_search("books.by_title", "title", "x", *[("genre", str(n)) for n in range(9)]), "too many filter"),
    ],
)
def test_searches_that_cannot_run_say_why(query: Any, said: str) -> None:
    with library().begin() as tx, pytest.raises(StoreError, match=said):
        collect(tx, query)


def test_a_transaction_searches_its_own_writes_and_its_snapshot() -> None:
    store = library()
    with store.begin() as tx:
        ids = {one.json["title"]: one.id for one in collect(tx, text_search("books.by_title", "title", "quick"))}
        tx.delete("", ids["quick, QUICK! quick?"])
        tx.insert("", "books", {"title": "quickly"})
        with store.begin() as other:
            other.patch("", ids["The Quick brown fox"], {"title": "slow"})
            other.insert("", "books", {"title": "quick unseen"})
            other.commit()
        found = column(collect(tx, text_search("books.by_title", "title", "quick")), "title")
        assert sorted(found) == ["The Quick brown fox", "quickly"]
        assert tx.stale


def test_search_pages() -> None:
    store = world(table("books", searchIndexes=[search_index("by_title", "title")]))
    fill(store, "books", *({"title": "word " * (n + 1)} for n in range(7)))
    query = text_search("books.by_title", "title", "word")
    seen: list[str] = []
    cursor = None
    while True:
        with store.begin() as tx:
            page = tx.page("", PageRequest(query, cursor, 3))
        seen += [one.id for one in page.documents]
        cursor = page.continue_cursor
        if page.is_done:
            break
    with store.begin() as tx:
        first = tx.page("", PageRequest(query, None, 3))
    with store.begin() as tx:
        middle = tx.page("", PageRequest(query, first.continue_cursor, 2))
    with store.begin() as tx:
        both = tx.page("", PageRequest(query, None, 1, end_cursor=middle.continue_cursor))
        assert both.documents == first.documents + middle.documents
        assert (both.continue_cursor, both.is_done) == (middle.continue_cursor, False)
    with store.begin() as tx:
        assert seen == [one.id for one in collect(tx, query)]
    assert len(set(seen)) == 7


@given(st.lists(st.lists(st.sampled_from(["aa", "ab", "b", "c"]), max_size=4), max_size=8), st.data())
def test_an_index_that_changed_finds_what_a_new_one_finds(texts: list[list[str]], data: Any) -> None:
    store = world(table("books", searchIndexes=[search_index("by_title", "title")]))
    ids = fill(store, "books", *({"title": " ".join(words)} for words in texts))
    kept = {id_: set(words) for id_, words in zip(ids, texts, strict=True)}
    for id_ in ids:
        with store.begin() as tx:
            change = data.draw(st.sampled_from(["keep", "drop", "edit"]))
            if change == "drop":
                tx.delete("", id_)
                del kept[id_]
            elif change == "edit":
                tx.patch("", id_, {"title": "b b aa"})
                kept[id_] = {"b", "aa"}
            tx.commit()
    with store.begin() as tx:
        for words, wanted in (("a", {"aa", "ab"}), ("b c", {"b", "c"}), ("a c", {"c"})):
            found = {one.id for one in collect(tx, text_search("books.by_title", "title", words))}
            assert found == {id_ for id_, has in kept.items() if has & wanted}


# Vectors


def planets() -> tuple[Store, list[str]]:
    store = world(table("p", vectorIndexes=[vector_index("near", "v", 2, "kind", "deep.n")]))
    ids = fill(
        store,
        "p",
        {"v": [1, 0], "kind": "a"},
        {"v": [2, 2], "kind": "b"},
        {"v": [0, 5], "kind": "a", "deep": {"n": 1}},
        {"v": [-1, 0]},
        {"v": [1, 2, 3], "kind": "a"},
        {"v": "no", "kind": "a"},
        {"kind": "a"},
    )
    return store, ids


def near(store: Store, **query: Any) -> list[Any]:
    with store.begin() as tx:
        return tx.vector_search("", {"indexName": "p.near", "vector": [1, 0], "expressions": None, **query})


def eq(field: str, value: Any) -> Any:
    return {"$eq": [{"$field": field}, {"$literal": value}]}


def test_the_nearest_come_first_with_their_cosine() -> None:
    store, ids = planets()
    found = near(store)
    assert [one["_id"] for one in found] == ids[:4]
    assert [one["_score"] for one in found] == pytest.approx([1, math.sqrt(0.5), 0, -1])
    assert near(store, limit=1) == found[:1]


def test_vector_filters() -> None:
    store, ids = planets()
    assert [one["_id"] for one in near(store, expressions=eq("kind", "a"))] == [ids[0], ids[2]]
    either = {"$or": [eq("kind", "b"), {"$or": [eq("deep.n", 1)]}]}
    assert [one["_id"] for one in near(store, expressions=either)] == [ids[1], ids[2]]
    assert [one["_id"] for one in near(store, expressions=eq("kind", {"$undefined": None}))] == [ids[3]]
    assert near(store, expressions={"$or": []}) == []


def test_vector_search_follows_writes() -> None:
    store, ids = planets()
    with store.begin() as tx:
        tx.patch("", ids[3], {"v": [9, 0]})
        tx.delete("", ids[0])
        new = tx.insert("", "p", {"v": [3, 1]})
        query = {"indexName": "p.near", "vector": [1, 0], "limit": 2}
        assert [one["_id"] for one in tx.vector_search("", query)] == [ids[3], new]
        tx.commit()
    assert [one["_id"] for one in near(store, limit=2)] == [ids[3], new]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"limit": 0}, "between 1 and 256"),
        ({"limit": 257}, "between 1 and 256"),
        ({"limit": 1.5}, "between 1 and 256"),
        ({"vector": [1]}, "needs a vector of 2"),
        ({"vector": "x"}, "needs a vector of 2"),
        ({"vector": [1, {"$float": "AAAAAAAA8H8="}]}, "needs a vector of 2"),
        ({"indexName": "p.far"}, "Index p.far not found."),
        ({"indexName": 3}, "Malformed vector query"),
        ({"expressions": eq("v", 1)}, "isn't indexed for filtering"),
        ({"expressions": {"$lt": [1, 2]}}, "only use q.eq and q.or"),
        ({"expressions": {"$eq": []}}, "Malformed filter"),
        ({"expressions": {"$or": [eq("kind", str(n)) for n in range(65)]}}, "too many filter"),
    ],
)
def test_vector_searches_that_cannot_run_say_why(query: Any, said: str) -> None:
    store, _ = planets()
    with pytest.raises(StoreError, match=said):
        near(store, **query)


def test_ten_results_unless_told() -> None:
    store, _ = planets()
    fill(store, "p", *({"v": [1, n]} for n in range(300)))
    assert len(near(store)) == 10
    assert len(near(store, limit=256)) == 256


def test_a_zero_vector_is_near_nothing() -> None:
    store, ids = planets()
    fill(store, "p", {"v": [0, 0], "kind": "zero"})
    assert [one["_score"] for one in near(store, expressions=eq("kind", "zero"))] == [0]
    assert {one["_score"] for one in near(store, vector=[0, 0])} == {0}
    assert len(ids) == 7


def test_the_same_word_weighs_more_in_a_shorter_text() -> None:
    store = world(table("books", searchIndexes=[search_index("by_title", "title")]))
    fill(store, "books", {"title": "fox"}, {"title": "fox and seven other animals of the forest"})
    with store.begin() as tx:
        found = column(collect(tx, text_search("books.by_title", "title", "fox")), "title")
    assert found[0] == "fox"


def test_a_text_index_forgets_what_was_removed() -> None:
    store = library()
    held = store.table(("", "books"))
    assert held is not None
    with store.begin() as tx:
        for document in tx.newest("", "books", 100):
            tx.delete("", document.id)
        tx.commit()
    text_index = held.texts["by_title"]
    assert (len(text_index), text_index.total_terms, text_index.with_prefix("")) == (0, 0, [])
