"""Validators: what fits, and the exact multi-line texts of what does not."""

from __future__ import annotations

from typing import Any

import pytest
from store_world import (
    ANY,
    INT64,
    NULL,
    NUMBER,
    STRING,
    array,
    fill,
    id_of,
    literal,
    obj,
    optional,
    record,
    table,
    union,
    world,
)

from convex_embedded.store import InvalidValue, Store, decode
from convex_embedded.store.text import show, show_validator
from convex_embedded.store.validators import parse


def failure(validator: Any, wire: Any, store: Store | None = None) -> str | None:
    return (store or Store()).validate("", parse(validator), decode(wire))


@pytest.mark.parametrize(
    ("validator", "wire"),
    [
        (ANY, {"deep": [1]}),
        (NULL, None),
        (NUMBER, 1),
        (NUMBER, {"$float": "AAAAAAAA8H8="}),
        (INT64, {"$integer": "AwAAAAAAAAA="}),
        ({"type": "boolean"}, True),
        ({"type": "bytes"}, {"$bytes": ""}),
        ({"type": "commitTs"}, {"$commitTs": None}),
        (STRING, ""),
        (literal("a"), "a"),
        (literal(3), 3),
        (literal({"$integer": "AwAAAAAAAAA="}), {"$integer": "AwAAAAAAAAA="}),
        (array(STRING), []),
        (union(STRING, NULL), None),
        (record(STRING, NUMBER), {"a": 1, "b": 2}),
        (obj(a=STRING, b=optional(NUMBER)), {"a": "x"}),
        (union(obj(kind=literal("a"), x=NUMBER), obj(kind=literal("b"))), {"kind": "b"}),
    ],
)
def test_values_that_fit(validator: Any, wire: Any) -> None:
    assert failure(validator, wire) is None


@pytest.mark.parametrize(
    ("validator", "wire", "text"),
    [
        (
            obj(name=STRING),
            {},
            "Object is missing the required field `name`. Consider wrapping the field validator in `v.optional(...)` "
            "if this is expected.\n\nObject: {}\nValidator: v.object({name: v.string()})\n",
        ),
        (
            obj(name=STRING),
            {"name": "x", "more": 1},
            "Object contains extra field `more` that is not in the validator.\n\n"
            'Object: {more: 1.0, name: "x"}\nValidator: v.object({name: v.string()})\n',
        ),
        (
            obj(a=obj(b=optional(INT64))),
            {"a": {"b": 1}},
            "Value does not match validator.\nPath: .a.b\nValue: 1.0\nValidator: v.int64()\n",
        ),
        (
            obj(list=array(obj(x=NUMBER))),
            {"list": [{"x": 1}, {}]},
            "Object is missing the required field `x`. Consider wrapping the field validator in `v.optional(...)` "
            "if this is expected.\nPath: .list[1]\nObject: {}\nValidator: v.object({x: v.float64()})\n",
        ),
        (
            union(STRING, NULL),
            True,
            "Value does not match validator.\n\nValue: true\nValidator: v.union(v.string(), v.null())\n",
        ),
        (
            record(STRING, NUMBER),
            {"a": "x"},
            'Value does not match validator.\nPath: .a\nValue: "x"\nValidator: v.float64()\n',
        ),
        (
            id_of("users"),
            "hello",
            'Value does not match validator.\n\nValue: "hello"\nValidator: v.id("users")\n',
        ),
        (
            union(obj(a=STRING)),
            {"a": 1},
            "Value does not match validator.\nPath: .a\nValue: 1.0\nValidator: v.string()\n",
        ),
        (literal("a"), "b", '`"b"` does not match literal validator `v.literal("a")`.'),
        (
            obj(k=literal({"$integer": "AwAAAAAAAAA="})),
            {"k": 3},
            "`3.0` does not match literal validator `v.literal(3n)`.\nPath: .k",
        ),
    ],
)
def test_the_text_says_what_is_wrong_and_where(validator: Any, wire: Any, text: str) -> None:
    assert failure(validator, wire) == text


def test_an_id_of_another_table_is_named() -> None:
    store = world(table("users"), table("posts"))
    (user,) = fill(store, "users", {})
    assert failure(obj(who=id_of("users")), {"who": user}, store) is None
    assert failure(obj(who=id_of("posts")), {"who": user}, store) == (
        f'Found ID "{user}" from table `users`, which does not match the table name in validator `v.id("posts")`.'
        "\nPath: .who"
    )


def test_ids_of_another_component_are_no_ids_here() -> None:
    store = world(table("users"))
    store.push({"child": None})
    (theirs,) = fill(store, "users", {}, component="child")
    assert "does not match" in (failure(id_of("users"), theirs, store) or "")
    assert store.validate("child", id_of("users"), theirs) is None


def test_bool_is_no_number_and_number_is_no_int64() -> None:
    assert failure(NUMBER, True) is not None
    assert failure(INT64, True) is not None
    assert failure(INT64, 1) is not None
    assert failure({"type": "boolean"}, 1) is not None


def test_validators_are_shown_as_source() -> None:
    validator = obj(
        z=optional(array(union(literal("x"), literal(True)))), a=record(id_of("t"), ANY), b={"type": "bytes"}
    )
    assert show_validator(validator) == (
        'v.object({a: v.record(v.id("t"), v.any()), b: v.bytes(), '
        'z: v.optional(v.array(v.union(v.literal("x"), v.literal(true))))})'
    )
    assert (
        show(decode({"n": {"$integer": "AwAAAAAAAAA="}, "l": [None, 0.5, 'q"é']})) == '{l: [null, 0.5, "q\\"é"], n: 3n}'
    )


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        "string",
        {},
        {"type": "nonsense"},
        {"type": "array"},
        {"type": "union", "value": 3},
        {"type": "object", "value": {"a": {"fieldType": STRING}}},
        {"type": "object", "value": [1]},
        {"type": "id"},
        {"type": "literal", "value": {"$integer": 1}},
        {"type": "record", "keys": STRING},
    ],
)
def test_malformed_validators_are_refused(hostile: Any) -> None:
    with pytest.raises(InvalidValue):
        parse(hostile)


def test_bottomless_validators_are_refused() -> None:
    deep: Any = STRING
    for _ in range(5000):
        deep = array(deep)
    with pytest.raises(InvalidValue):
        parse(deep)
