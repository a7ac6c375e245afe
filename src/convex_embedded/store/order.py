"""The order of Convex values, as bytes: `sort_key(a) < sort_key(b)` exactly when a sorts before b.

undefined < null < int64 < float64 < boolean < string < bytes < array < object. Keys are prefix-free, so the key of an
index entry is the concatenation of the keys of its fields, and every index range is one interval of byte strings.
"""

from __future__ import annotations

import struct
from typing import Final

from convex_embedded.store.values import COMMIT_TS, MAX_INT64, UNDEFINED, Value

_END: Final = b"\x00"
_ESCAPES: Final = ((b"\x01", b"\x01\x02"), (b"\x00", b"\x01\x01"))


def sort_key(value: Value) -> bytes:
    """The place of one value in the order."""
    if isinstance(value, str):
        return b"\x06" + _escape(value.encode()) + _END
    if isinstance(value, float):
        return b"\x04" + _float_key(value)
    if value is None:
        return b"\x02"
    if value is UNDEFINED:
        return b"\x01"
    if isinstance(value, bool):
        return b"\x05\x01" if value else b"\x05\x00"
    if isinstance(value, int):
        return b"\x03" + (value + 2**63).to_bytes(8, "big")
    if isinstance(value, bytes):
        return b"\x07" + _escape(value) + _END
    if isinstance(value, list):
        return b"\x08" + b"".join(map(sort_key, value)) + _END
    if isinstance(value, dict):
        return b"\x0a" + b"".join(sort_key(name) + sort_key(value[name]) for name in sorted(value)) + _END
    if value is COMMIT_TS:
        return sort_key(MAX_INT64)
    raise TypeError(f"not a Convex value: {type(value).__name__}")


def compare(a: Value, b: Value) -> int:
    """-1, 0 or 1."""
    left, right = sort_key(a), sort_key(b)
    return (left > right) - (left < right)


def equal(a: Value, b: Value) -> bool:
    """Whether two values are the same in the order; the number 1 and the int64 1 are not, nor are 0 and -0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (str, int, bytes)) or a is None:
        return bool(a == b)
    return sort_key(a) == sort_key(b)


def successor(prefix: bytes) -> bytes | None:
    """The least key above every key with this prefix; None when there is no such bound."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None


def _float_key(number: float) -> bytes:
    bits: int = struct.unpack(">Q", struct.pack(">d", number))[0]
    flipped = bits ^ 0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else bits | 0x8000_0000_0000_0000
    return flipped.to_bytes(8, "big")


def _escape(raw: bytes) -> bytes:
    for plain, escaped in _ESCAPES:
        if plain in raw:
            raw = raw.replace(plain, escaped)
    return raw
