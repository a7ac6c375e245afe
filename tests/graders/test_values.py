"""The codec of the clients: what Convex can say and Python cannot, both ways."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convex_evals.backends.values import Int64, decode, encode

names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)
plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.integers(-(2**63), 2**63 - 1).map(Int64)
)
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20)


@given(values)
def test_what_is_encoded_is_decoded_again_through_json(value: Any) -> None:
    assert decode(json.loads(json.dumps(encode(value), allow_nan=False))) == value


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (Int64(5), {"$integer": "BQAAAAAAAAA="}),
        (Int64(-1), {"$integer": "//////////8="}),
        (b"\x00\xff", {"$bytes": "AP8="}),
        (math.inf, {"$float": "AAAAAAAA8H8="}),
        (-0.0, {"$float": "AAAAAAAAAIA="}),
        ({"a": [1, 2.5, None, True]}, {"a": [1, 2.5, None, True]}),
    ],
)
def test_the_wire_form_is_convex_s(value: Any, wire: Any) -> None:
    assert encode(value) == wire
    assert repr(decode(wire)) == repr(value)


def test_nan_crosses() -> None:
    assert math.isnan(decode(encode(math.nan)))


def test_an_int64_is_no_number() -> None:
    assert Int64(5) != 5
    assert decode(encode([Int64(5), 5])) == [Int64(5), 5]


@pytest.mark.parametrize(
    ("value", "error", "place"),
    [
        ({"a": [object()]}, TypeError, r"value\.a\[0\]: object"),
        ({"$a": 1}, ValueError, r"'\$a'"),
        ({1: 1}, ValueError, "1 is no field name"),
        ({"a": 2**53 + 1}, ValueError, r"value\.a: .* use Int64"),
    ],
)
def test_what_convex_has_not_is_refused_with_its_place(value: Any, error: type[Exception], place: str) -> None:
    with pytest.raises(error, match=place):
        encode(value)


def test_an_int64_has_64_bits() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        Int64(2**63)


@pytest.mark.parametrize("data", [{"$date": "x"}, {"$integer": 5}, {"$integer": "AA=="}, {"$bytes": "?"}])
def test_an_unknown_encoding_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)
