"""Schemas: what a deploy refuses, documents that are there already, index changes, and how a schema is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from store_world import (
    ANY,
    INT64,
    NUMBER,
    STRING,
    array,
    collect,
    column,
    fill,
    id_of,
    index,
    literal,
    obj,
    optional,
    ranged,
    record,
    schema,
    search_index,
    table,
    text_search,
    union,
    vector_index,
    world,
)

from convex_embedded.store import Store, StoreError
from convex_embedded.types import DeployError

DOC = obj(a=STRING, b=NUMBER, deep=obj(x=STRING), vector=array(NUMBER), extra=ANY, names=record(STRING, NUMBER))


def indexed(**lists: Any) -> str:
    return schema(table("t", DOC, **lists))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (schema(table("t", obj(u=id_of("users")))), 'references the table "users"'),
        (schema(table("t", obj(u=optional(array(union(id_of("_nope"), STRING)))))), 'references the table "_nope"'),
        (schema(table("t", obj(r=record(id_of("users"), STRING)))), 'references the table "users"'),
        (schema(table("_t")), 'Invalid table name: "_t"'),
        (schema(table("1t")), "must start with a letter"),
        (schema(table("t" * 65)), "too long"),
        (schema(table("t", STRING)), "must be objects"),
        (schema(table("t", union(obj(a=STRING), NUMBER))), "must be objects"),
        (schema(table("t", obj(_id=STRING))), 'the field "_id" is invalid'),
        (schema(table("t", obj(**{"a b": STRING}))), 'the field "a b" is invalid'),
        (indexed(indexes=[index("by_id", "a")]), '"by_id" is reserved'),
        (indexed(indexes=[index("by_creation_time", "a")]), '"by_creation_time" is reserved'),
        (indexed(indexes=[index("_by_a", "a")]), "Identifiers must start with a letter"),
        (indexed(indexes=[index("by-a", "a")]), "Identifiers must start with a letter"),
        (indexed(indexes=[index("i" * 65, "a")]), "too long (65 > maximum 64 characters)"),
        (indexed(indexes=[index("same", "a"), index("same", "b")]), "defined more than once"),
        (indexed(indexes=[index("same", "a")], stagedDbIndexes=[index("same", "b")]), "defined more than once"),
        (indexed(indexes=[index("same", "a")], searchIndexes=[search_index("same", "a")]), "defined more than once"),
        (indexed(indexes=[index("by_none")]), "at least one field"),
        (indexed(indexes=[index("by_c", "c")]), 'references the field "c" that does not exist'),
        (indexed(stagedDbIndexes=[index("by_c", "c")]), 'references the field "c" that does not exist'),
        (indexed(indexes=[index("by_deep", "deep.y")]), 'references the field "deep.y"'),
        (indexed(indexes=[index("by_deep", "a.x")]), 'references the field "a.x"'),
        (indexed(indexes=[index("by_a", "a", "a")]), 'names the field "a" more than once'),
        (indexed(indexes=[index("by_a", "a", "_creationTime")]), "automatically added to the end"),
        (indexed(indexes=[index("by_a", *[f"extra.f{i}" for i in range(17)])]), "17 fields (maximum 16)"),
        (indexed(indexes=[index(f"i{i}", "a") for i in range(33)]), "too many indexes: 33 (maximum 32)"),
        (indexed(searchIndexes=[search_index(f"s{i}", "a") for i in range(5)]), "too many search indexes"),
        (indexed(vectorIndexes=[vector_index(f"v{i}", "vector", 4) for i in range(5)]), "too many vector indexes"),
        (indexed(searchIndexes=[search_index("s", "nope")]), 'references the field "nope"'),
        (indexed(searchIndexes=[search_index("s", "a", "nope")]), 'references the field "nope"'),
        (indexed(searchIndexes=[search_index("s", "a", "b", "b")]), "more than once"),
        (indexed(searchIndexes=[search_index("s", "a", *[f"extra.f{i}" for i in range(17)])]), "17 filter fields"),
        (indexed(vectorIndexes=[vector_index("v", "vector", 1)]), "between 2 and 2048"),
        (indexed(vectorIndexes=[vector_index("v", "vector", 2049)]), "between 2 and 2048"),
        (indexed(vectorIndexes=[vector_index("v", "vector", 2.5)]), "between 2 and 2048"),
        (indexed(vectorIndexes=[vector_index("v", "a", 4)]), "not an array"),
        (indexed(vectorIndexes=[vector_index("v", "vector", 4, "nope")]), 'references the field "nope"'),
        ("not json", "could not be read"),
        (json.dumps({"tables": 3}), "could not be read"),
        (json.dumps({"tables": [{"tableName": 3}]}), "could not be read"),
        (schema(table("t", {"type": "nonsense"})), "could not be read"),
        ("[" * 100_000, "could not be read"),
    ],
)
def test_a_deploy_refuses(source: Any, said: str) -> None:
    store = Store()
    with pytest.raises(DeployError) as caught:
        store.push({"": source})
    assert said in str(caught.value)
    assert store.schema_json("") is None
    assert store.tables("") == ()


def test_what_a_deploy_accepts() -> None:
    store = world(
        table(
            "t",
            DOC,
            indexes=[index("i" * 64, "a", "b"), index("by_deep", "deep.x"), index("by_any", "extra.whatever.else")],
            searchIndexes=[search_index("s", "extra.text", "b")],
            vectorIndexes=[vector_index("v", "vector", 2048, "deep.x"), vector_index("w", "extra", 2)],
        ),
        table("u", union(obj(k=literal("a"), x=STRING), obj(k=literal("b"), me=id_of("u"), file=id_of("_storage")))),
        table("w", union(obj(x=STRING), union(obj(y=INT64))), indexes=[index("by_y", "y")]),
        table("any", indexes=[index("by_x", "x.y.z")]),
        table("names", obj(r=record(STRING, obj(n=NUMBER))), indexes=[index("by_n", "r.key.n")]),
    )
    assert store.tables("") == ("any", "names", "t", "u", "w")


def test_a_schema_is_shown_sorted_and_complete() -> None:
    store = world(
        table(
            "zebra",
            obj(a=STRING, b=STRING, v=array(NUMBER)),
            indexes=[index("z", "a"), index("b", "b", "a")],
            stagedDbIndexes=[index("later", "b")],
            searchIndexes=[search_index("text", "a", "v", "b")],
            vectorIndexes=[vector_index("near", "v", 3, "b", "a")],
        ),
        table("ant"),
    )
    shown = json.loads(store.schema_json("") or "")
    empty: dict[str, list[Any]] = {"indexes": [], "searchIndexes": [], "vectorIndexes": []}
    empty |= {"stagedDbIndexes": [], "stagedSearchIndexes": [], "stagedVectorIndexes": []}
    assert shown == {
        "schemaValidation": True,
        "tables": [
            {"tableName": "ant", "documentType": {"type": "any"}, **empty},
            {
                "tableName": "zebra",
                "documentType": obj(a=STRING, b=STRING, v=array(NUMBER)),
                "indexes": [index("b", "b", "a", "_creationTime"), index("z", "a", "_creationTime")],
                "stagedDbIndexes": [index("later", "b", "_creationTime")],
                "searchIndexes": [search_index("text", "a", "b", "v")],
                "stagedSearchIndexes": [],
                "vectorIndexes": [vector_index("near", "v", 3, "a", "b")],
                "stagedVectorIndexes": [],
            },
        ],
    }


def test_writes_must_fit_the_schema() -> None:
    store = world(table("t", obj(a=STRING)))
    with store.begin() as tx:
        with pytest.raises(StoreError) as caught:
            tx.insert("", "t", {})
        assert str(caught.value).startswith(
            'Failed to insert or update a document in table "t" because it does not match the schema: '
            "Object is missing the required field `a`."
        )
        id_ = tx.insert("", "t", {"a": "x"})
        for change in ({"a": 1}, {"a": {"$undefined": None}}, {"more": 1}):
            with pytest.raises(StoreError, match="does not match the schema"):
                tx.patch("", id_, change)
        with pytest.raises(StoreError, match="does not match the schema"):
            tx.replace("", id_, {})
        assert column(tx.newest("", "t", 9), "a") == ["x"]
        tx.insert("", "unlisted", {"anything": [1]})
    store.push({"": schema(table("t", obj(a=STRING)), validation=False)})
    fill(store, "t", {"a": 1})


def test_documents_that_are_there_must_fit_a_new_schema() -> None:
    store = world(table("t"), table("u"))
    fill(store, "u", {"x": 1})
    (id_,) = fill(store, "t", {"a": 1})
    before = store.schema_json("")
    with pytest.raises(DeployError) as caught:
        store.push({"": schema(table("t", obj(a=STRING)), table("u", obj(x=NUMBER)))})
    text = str(caught.value)
    assert "Schema validation failed" in text
    assert f'Document with ID "{id_}" in table "t" does not match the schema: Value does not match validator.' in text
    assert text.rstrip().endswith("Path: .a\nValue: 1.0\nValidator: v.string()")
    assert store.schema_json("") == before
    store.push({"": schema(table("t", obj(a=STRING)), validation=False)})
    with store.begin() as tx:
        tx.patch("", id_, {"a": "x"})
        tx.commit()
    store.push({"": schema(table("t", obj(a=STRING)))})
    assert store.tables("") == ("t", "u")


def test_all_components_or_none() -> None:
    store = Store()
    with pytest.raises(DeployError):
        store.push({"": schema(table("t")), "child": schema(table("t", obj(u=id_of("gone"))))})
    assert store.schema_json("") is None


def test_indexes_come_and_go_with_the_schema() -> None:
    store = world(table("t", indexes=[index("by_a", "a")], stagedDbIndexes=[index("by_b", "b")]))
    fill(store, "t", {"a": 2, "b": 1, "text": "Old words"}, {"a": 1, "b": 2})
    with store.begin() as tx:
        with pytest.raises(StoreError, match="staged"):
            collect(tx, ranged("t.by_b"))
        assert column(collect(tx, ranged("t.by_a")), "a") == [1, 2]
    enabled = table(
        "t", indexes=[index("by_b", "b"), index("by_a", "b", "a")], searchIndexes=[search_index("s", "text")]
    )
    store.push({"": schema(enabled)})
    fill(store, "t", {"a": 0, "b": 3, "text": "new words"})
    with store.begin() as tx:
        assert column(collect(tx, ranged("t.by_b", order="desc")), "b") == [3, 2, 1]
        assert column(collect(tx, ranged("t.by_a")), "a") == [2, 1, 0]
        assert len(collect(tx, text_search("t.s", "text", "words"))) == 2
    store.push({"": None})
    with store.begin() as tx:
        with pytest.raises(StoreError, match=r"Index t\.by_b not found"):
            collect(tx, ranged("t.by_b"))
        assert len(tx.newest("", "t", 9)) == 3
    assert store.schema_json("") is None


def test_the_same_schema_again_changes_nothing() -> None:
    store = world(table("t", indexes=[index("by_a", "a")]))
    fill(store, "t", {"a": 1})
    kept = store.table(("", "t"))
    assert kept is not None
    before = kept.ordered["by_a"]
    store.push({"": schema(table("t", indexes=[index("by_a", "a")]))})
    assert kept.ordered["by_a"] is before
