"""Convex values in Python and their wire encoding ("convex_encoded_json"). Pure.

A JavaScript number is an int or a float, whichever JSON made of it; a Convex int64 is an `Int64`, so that a grader
sees the difference. The embedded backend has a codec of its own: the two sides of a wire must not share one.
"""

from __future__ import annotations

import base64
import math
import struct
from dataclasses import dataclass
from typing import Any

Value = Any
"""None, bool, int, float, Int64, str, bytes, list of values, dict of str to values."""

_MAX_SAFE_INTEGER = 2**53
_SPECIALS = ("$integer", "$float", "$bytes")


@dataclass(frozen=True, order=True)
class Int64:
    """A Convex int64 (a JavaScript bigint). Never equal to a number."""

    value: int

    def __post_init__(self) -> None:
        if not -(2**63) <= self.value < 2**63:
            raise ValueError(f"{self.value} does not fit in 64 bits")


def encode(value: Value) -> Any:
    """A value as JSON data. Raises TypeError or ValueError, with the place, for what Convex cannot store."""
    return _encode(value, "value")


def decode(data: Any) -> Value:
    """JSON data from the wire as a value. Raises ValueError for an encoding that does not exist."""
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        ((tag, payload),) = data.items()
        if tag.startswith("$"):
            return _decode_special(tag, payload)
    return {name: decode(item) for name, item in data.items()}


def _encode(value: Value, where: str) -> Any:
    match value:
        case None | bool() | str():
            return value
        case Int64():
            return {"$integer": _base64(struct.pack("<q", value.value))}
        case int():
            if abs(value) > _MAX_SAFE_INTEGER:
                raise ValueError(f"{where}: {value} is no exact JavaScript number; use Int64")
            return value
        case float():
            if math.isfinite(value) and not (value == 0.0 and math.copysign(1.0, value) < 0):
                return value
            return {"$float": _base64(struct.pack("<d", value))}
        case bytes():
            return {"$bytes": _base64(value)}
        case list() | tuple():
            return [_encode(item, f"{where}[{place}]") for place, item in enumerate(value)]
        case dict():
            return {name: _encode(item, f"{where}.{name}") for name, item in _fields(value, where)}
        case _:
            raise TypeError(f"{where}: {type(value).__name__} is no Convex value")


def _fields(value: dict[Any, Value], where: str) -> list[tuple[str, Value]]:
    for name in value:
        if not isinstance(name, str) or name.startswith("$"):
            raise ValueError(f"{where}: {name!r} is no field name")
    return list(value.items())


def _decode_special(tag: str, payload: Any) -> Value:
    if tag not in _SPECIALS or not isinstance(payload, str):
        raise ValueError(f"unknown encoding {tag}")
    raw = base64.b64decode(payload, validate=True)
    if tag == "$bytes":
        return raw
    if len(raw) != 8:
        raise ValueError(f"{tag} carries {len(raw)} bytes instead of 8")
    if tag == "$integer":
        return Int64(struct.unpack("<q", raw)[0])
    return struct.unpack("<d", raw)[0]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
