"""Convex values in Python: number ↔ float, int64 ↔ int, bytes ↔ bytes, and null, boolean, string, array and object.

Decodes and encodes the wire form, measures sizes as `getConvexSize` does and refuses what Convex refuses.
It knows nothing of documents, tables or transactions.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from convex_embedded.store.errors import InvalidValue

Value: TypeAlias = Any
"""None | bool | int | float | str | bytes | list[Value] | dict[str, Value]; never changed in place."""
Json: TypeAlias = Any

MAX_ARRAY_LENGTH: Final = 8192
MAX_OBJECT_FIELDS: Final = 1024
MAX_FIELD_NAME: Final = 1024
MAX_NESTING: Final = 64
MIN_INT64: Final = -(2**63)
MAX_INT64: Final = 2**63 - 1


class Undefined:
    """The value of a field that is not there; only in filters, index bounds and patches."""

    def __repr__(self) -> str:
        return "undefined"


class CommitTs:
    """A field that becomes the commit timestamp (int64) when its transaction commits."""

    def __repr__(self) -> str:
        return "[unresolved commit timestamp]"


UNDEFINED: Final = Undefined()
COMMIT_TS: Final = CommitTs()


def decode(json: Json) -> Value:
    """The value of its wire form. Raises InvalidValue."""
    return _decode(json, "", 0)


def decode_or_undefined(json: Json) -> Value:
    """Like `decode`, for places where {"$undefined": null} may stand."""
    return UNDEFINED if json == {"$undefined": None} else _decode(json, "", 0)


def decode_patch(json: Json) -> dict[str, Value]:
    """The value of a patch: an object whose own fields may be undefined."""
    if not isinstance(json, dict) or _tag_of(json) is not None:
        raise InvalidValue("Value must be an Object")
    patch: dict[str, Value] = {}
    for name in sorted(json):
        _check_field_name(name, "")
        item = json[name]
        patch[name] = UNDEFINED if item == {"$undefined": None} else _decode(item, f".{name}", 1)
    return patch


def _decode(json: Json, path: str, depth: int) -> Value:
    if json is None or json is True or json is False:
        return json
    if isinstance(json, str):
        _check_unicode(json, path)
        return json
    if isinstance(json, (int, float)):
        try:
            return float(json)
        except OverflowError as error:
            raise InvalidValue(f"Number is out of range{_at(path)}") from error
    if depth >= MAX_NESTING:
        raise InvalidValue(f"Value is too nested (maximum nesting {MAX_NESTING})")
    if isinstance(json, list):
        if len(json) > MAX_ARRAY_LENGTH:
            raise InvalidValue(f"Array length is too long ({len(json)} > maximum length {MAX_ARRAY_LENGTH}){_at(path)}")
        return [_decode(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(json)]
    if not isinstance(json, dict):
        raise InvalidValue(f"{type(json).__name__} is not a supported Convex type{_at(path)}")
    tag = _tag_of(json)
    if tag is not None:
        return _decode_tagged(tag, json[tag], path)
    if len(json) > MAX_OBJECT_FIELDS:
        text = f"Object has too many fields ({len(json)} > maximum number {MAX_OBJECT_FIELDS}){_at(path)}"
        raise InvalidValue(text)
    for name in json:
        _check_field_name(name, path)
    return {name: _decode(json[name], f"{path}.{name}", depth + 1) for name in sorted(json)}


def _tag_of(json: Mapping[str, Json]) -> str | None:
    if len(json) != 1:
        return None
    (name,) = json
    return name if name in _TAGS else None


_TAGS: Final = frozenset({"$integer", "$float", "$bytes", "$commitTs", "$undefined", "$set", "$map"})


def _decode_tagged(tag: str, payload: Json, path: str) -> Value:
    if tag == "$commitTs" and payload is None:
        return COMMIT_TS
    if tag == "$undefined":
        raise InvalidValue(f"undefined is not a valid Convex value{_at(path)}")
    if tag in ("$set", "$map"):
        raise InvalidValue(
            f"Received a {tag[1:].capitalize()} which is no longer supported as a Convex type{_at(path)}"
        )
    if not isinstance(payload, str):
        raise InvalidValue(f"Malformed {tag} field{_at(path)}")
    try:
        raw = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidValue(f"Malformed {tag} field{_at(path)}: not base64") from error
    if tag == "$bytes":
        return raw
    if len(raw) != 8:
        raise InvalidValue(f"Received {len(raw)} bytes, expected 8 for {tag}{_at(path)}")
    if tag == "$integer":
        return int.from_bytes(raw, "little", signed=True)
    number: float = struct.unpack("<d", raw)[0]
    if not is_special(number):
        raise InvalidValue(f"Float {number} should be encoded as a number{_at(path)}")
    return number


def encode(value: Value) -> Json:
    """The wire form of a value; object fields in the order of their names, as a backend sends them."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, float):
        if is_special(value):
            return {"$float": base64.b64encode(struct.pack("<d", value)).decode()}
        return value
    if isinstance(value, int):
        return {"$integer": base64.b64encode(value.to_bytes(8, "little", signed=True)).decode()}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {name: encode(value[name]) for name in sorted(value)}
    if value is COMMIT_TS:
        return {"$commitTs": None}
    if value is UNDEFINED:
        return {"$undefined": None}
    raise TypeError(f"not a Convex value: {type(value).__name__}")


def is_special(number: float) -> bool:
    """Whether JSON cannot hold the number: NaN, infinities, negative zero."""
    return not math.isfinite(number) or (number == 0.0 and math.copysign(1.0, number) < 0)


def size_bytes(value: Value) -> int:
    """The size of a value as Convex counts it for limits and bandwidth."""
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, str):
        return 2 + (len(value) if value.isascii() else len(value.encode()))
    if isinstance(value, bytes):
        return 2 + len(value)
    if isinstance(value, list):
        return 2 + sum(map(size_bytes, value))
    if isinstance(value, dict):
        return 2 + sum(len(name) + 1 + size_bytes(item) for name, item in value.items())
    return 0 if value is UNDEFINED else 9


def nesting(value: Value) -> int:
    """How many arrays and objects lie inside each other; 0 for a plain value."""
    if isinstance(value, list):
        return 1 + max(map(nesting, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(nesting, value.values()), default=0)
    return 0


def with_commit_ts(value: Value, ts_ns: int) -> Value:
    """The value with every placeholder replaced; the same object when it holds none."""
    if value is COMMIT_TS:
        return ts_ns
    if isinstance(value, list):
        items = [with_commit_ts(item, ts_ns) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        fields = {name: with_commit_ts(item, ts_ns) for name, item in value.items()}
        return fields if any(fields[name] is not value[name] for name in value) else value
    return value


def at_path(value: Value, path: tuple[str, ...]) -> Value:
    """What lies at a field path, UNDEFINED when a step is missing or no object."""
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return UNDEFINED
        value = value[name]
    return value


def _check_unicode(text: str, path: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(f"String contains an unpaired surrogate, which is not valid Unicode{_at(path)}") from error


def _check_field_name(name: str, path: str) -> None:
    if not name:
        raise InvalidValue(f"Field name cannot be empty{_at(path)}")
    if len(name) > MAX_FIELD_NAME:
        raise InvalidValue(f"Field name {name} exceeds maximum field name length {MAX_FIELD_NAME}.")
    if name[0] == "$":
        raise InvalidValue(f"Field name {name} starts with a '$', which is reserved.")
    if not (name.isascii() and name.isprintable()):
        bad = next(c for c in name if not " " <= c < "\x7f")
        raise InvalidValue(
            f"Field name {name} has invalid character '{bad}': "
            "Field names can only contain non-control ASCII characters"
        )


def _at(path: str) -> str:
    return f" (present at path {path})" if path else ""
