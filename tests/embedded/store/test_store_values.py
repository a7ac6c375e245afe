"""Values: the wire form, the order of all types, sizes and ids."""

from __future__ import annotations

import math
import struct
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convex_embedded.store import UNDEFINED, InvalidValue, decode, encode, size_bytes
from convex_embedded.store.ids import ALPHABET, MalformedId, decode_id, encode_id, new_id
from convex_embedded.store.order import compare, equal, sort_key, successor
from convex_embedded.store.values import COMMIT_TS, decode_patch

FIELD_NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=4).filter(
    lambda name: not name.startswith("$")
)
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELD_NAMES, inner, max_size=4),
    max_leaves=12,
)
MAYBE_VALUES = VALUES | st.just(UNDEFINED)


def rank(value: Any) -> int:
    kinds: list[Any] = [type(UNDEFINED), type(None), int, float, bool, str, bytes, list, dict]
    return kinds.index(type(value))


def float_bits(number: float) -> int:
    bits = struct.unpack(">q", struct.pack(">d", number))[0]
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF) - 1


def naive(a: Any, b: Any) -> int:
    """The order, written down a second time and without bytes."""
    if rank(a) != rank(b):
        return -1 if rank(a) < rank(b) else 1
    if isinstance(a, float):
        a, b = float_bits(a), float_bits(b)
    elif isinstance(a, str):
        a, b = [ord(c) for c in a], [ord(c) for c in b]
    elif isinstance(a, dict):
        a = [part for name in sorted(a) for part in (name, a[name])]
        b = [part for name in sorted(b) for part in (name, b[name])]
        return naive(a, b)
    elif isinstance(a, list):
        for x, y in zip(a, b, strict=False):
            if naive(x, y):
                return naive(x, y)
        return (len(a) > len(b)) - (len(a) < len(b))
    elif a is None or a is UNDEFINED:
        return 0
    return int(a > b) - int(a < b)


@given(MAYBE_VALUES, MAYBE_VALUES)
def test_keys_sort_as_values_do(a: Any, b: Any) -> None:
    assert compare(a, b) == naive(a, b)
    assert equal(a, b) == (naive(a, b) == 0)


@given(st.lists(MAYBE_VALUES, max_size=8))
def test_sorting_by_key_is_sorting_by_the_order(values: list[Any]) -> None:
    by_key = sorted(values, key=sort_key)
    by_order = sorted(values, key=cmp_to_key(naive))
    assert [sort_key(v) for v in by_key] == [sort_key(v) for v in by_order]


@given(MAYBE_VALUES, MAYBE_VALUES, MAYBE_VALUES)
def test_no_key_is_a_prefix_of_another(a: Any, b: Any, c: Any) -> None:
    if naive(a, b) != 0:
        assert not sort_key(a).startswith(sort_key(b))
        assert compare(a, b) == ((sort_key(a) + sort_key(c) > sort_key(b)) - (sort_key(a) + sort_key(c) < sort_key(b)))


@given(
    st.lists(st.text("\x00\x01\x02a", max_size=3), min_size=2, max_size=2), st.sampled_from(["", "\x00", "\x01", "z"])
)
def test_control_characters_do_not_blur_the_end_of_a_string(texts: list[str], next_field: str) -> None:
    for kind in (str, bytes):
        a, b = (text if kind is str else text.encode() for text in texts)
        pair, other = sort_key(a) + sort_key(next_field), sort_key(b) + sort_key("")
        assert (pair < other) == ((texts[0], next_field) < (texts[1], ""))


@given(st.binary(max_size=4), st.binary(max_size=4))
def test_the_successor_is_the_end_of_a_prefix(prefix: bytes, rest: bytes) -> None:
    end = successor(prefix)
    assert end is None or (prefix + rest < end and not end.startswith(prefix + b"\x00"))
    if end is None:
        assert prefix.strip(b"\xff") == b""


def test_types_sort_in_the_documented_order() -> None:
    ascending = [
        UNDEFINED,
        None,
        -5,
        7,
        -math.inf,
        -0.0,
        0.0,
        1.5,
        math.nan,
        False,
        True,
        "",
        "a",
        b"",
        b"\x00",
        [],
        {},
    ]
    assert all(compare(a, b) < 0 for a, b in pairwise(ascending))


@given(VALUES)
def test_what_is_encoded_decodes_to_the_same(value: Any) -> None:
    again = decode(encode(value))
    assert compare(again, value) == 0
    assert encode(again) == encode(value)


def test_numbers_are_floats_and_bigints_are_ints() -> None:
    assert decode(3) == 3.0
    assert type(decode(3)) is float
    assert decode({"$integer": "AwAAAAAAAAA="}) == 3
    assert type(decode({"$integer": "AwAAAAAAAAA="})) is int
    assert encode(-1) == {"$integer": "//////////8="}
    assert encode(math.inf) == {"$float": "AAAAAAAA8H8="}
    assert encode(b"hi") == {"$bytes": "aGk="}
    assert list(decode({"b": 1, "a": 2})) == ["a", "b"]


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        ({"a": {"$undefined": None}}, "present at path .a"),
        ({"$undefined": None}, "undefined is not a valid Convex value"),
        ({"a": [1, "\ud800"]}, "present at path .a[1]"),
        ({"$x": 1, "y": 2}, "starts with a '$', which is reserved"),
        ({"é": 1}, "non-control ASCII"),
        ({"a\nb": 1}, "non-control ASCII"),
        ({"": 1}, "empty"),
        ({"f" * 1025: 1}, "exceeds maximum field name length 1024"),
        ({"$integer": "AAA="}, "expected 8 for $integer"),
        ({"$integer": 5}, "Malformed $integer"),
        ({"$bytes": "***"}, "not base64"),
        ({"$float": "AAAAAAAA8D8="}, "should be encoded as a number"),
        ({"$set": []}, "no longer supported"),
        (10**400, "out of range"),
        ([0] * 8193, "Array length is too long (8193 > maximum length 8192)"),
        ({f"f{i}": 1 for i in range(1025)}, "Object has too many fields (1025 > maximum number 1024)"),
    ],
)
def test_what_convex_refuses_is_refused_with_the_reason(wire: Any, said: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        decode(wire)
    assert said in str(caught.value)


def test_nesting_is_bounded() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    with pytest.raises(InvalidValue, match="too nested"):
        decode(deep)


def test_a_patch_may_hold_undefined_at_the_top_only() -> None:
    assert decode_patch({"a": {"$undefined": None}, "b": 1}) == {"a": UNDEFINED, "b": 1.0}
    with pytest.raises(InvalidValue):
        decode_patch({"a": {"b": {"$undefined": None}}})
    with pytest.raises(InvalidValue):
        decode_patch({"$bytes": ""})


def test_sizes_are_those_of_get_convex_size() -> None:
    assert [size_bytes(v) for v in (None, True, 1, 1.0, "é", b"abc", [1.0], {"ab": None})] == [1, 1, 9, 9, 4, 5, 11, 6]
    assert size_bytes(COMMIT_TS) == 9


@given(st.integers(1, 2**28), st.binary(min_size=16, max_size=16))
def test_ids_carry_the_number_of_their_table(number: int, internal: bytes) -> None:
    text = encode_id(number, internal)
    assert set(text) <= set(ALPHABET)
    found = decode_id(text)
    assert (found.table_number, found.internal) == (number, internal)


def test_ids_have_the_usual_length() -> None:
    assert len(new_id(1)) == 31
    assert len(new_id(10001)) == 32
    assert new_id(10001) != new_id(10001)


@settings(max_examples=300)
@given(st.integers(0, 31), st.sampled_from(ALPHABET))
def test_a_mistyped_id_is_no_id(position: int, letter: str) -> None:
    text = encode_id(10001, bytes(range(16)))
    other = text[:position] + letter + text[position + 1 :]
    if other != text:
        with pytest.raises(MalformedId):
            decode_id(other)


@pytest.mark.parametrize("text", ["", "abc", "x" * 200, "J" * 32, "i" * 32, "é" * 32])
def test_other_text_is_no_id(text: str) -> None:
    with pytest.raises(MalformedId):
        decode_id(text)


def spelled(raw: bytes, padding: int = 0) -> str:
    """Bytes in the letters of ids."""
    letters = -(-len(raw) * 8 // 5)
    number = int.from_bytes(raw, "big") << (letters * 5 - len(raw) * 8) | padding
    return "".join(ALPHABET[(number >> (5 * i)) & 31] for i in range(letters - 1, -1, -1))


def test_an_id_has_one_spelling() -> None:
    raw = b"\x05" + bytes(range(16))
    low = high = 0
    for byte in raw:
        low, high = (low + byte) % 255, (high + low + byte) % 255
    good = spelled(raw + bytes([low, high]))
    assert decode_id(good).table_number == 5
    with pytest.raises(MalformedId, match="padding"):
        decode_id(spelled(raw + bytes([low, high]), padding=1))
    raw = b"\x85\x00" + bytes(range(16))
    low = high = 0
    for byte in raw:
        low, high = (low + byte) % 255, (high + low + byte) % 255
    with pytest.raises(MalformedId, match="table number"):
        decode_id(spelled(raw + bytes([low, high])))
