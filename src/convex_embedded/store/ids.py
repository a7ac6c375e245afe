"""Document ids: 31 to 33 lowercase letters and digits that carry the number of their table.

Form: Crockford base32 (0-9a-z without i l o u), most significant bits first, zero-padded at the end, of
    table number as a little-endian base-128 varint | 16 random bytes | Fletcher-16 (mod 255) of all of these: low sum,
    high sum
so that normalizeId needs no look-up. This module knows numbers, not names.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGITS: Final = {letter: number for number, letter in enumerate(ALPHABET)}
_INTERNAL_BYTES: Final = 16
FIRST_TABLE_NUMBER: Final = 10001


@dataclass(frozen=True, slots=True)
class DocumentId:
    """A decoded id."""

    table_number: int
    internal: bytes


class MalformedId(ValueError):
    """The text is no id at all."""


def new_id(table_number: int) -> str:
    """A fresh id."""
    return encode_id(table_number, os.urandom(_INTERNAL_BYTES))


def encode_id(table_number: int, internal: bytes) -> str:
    """The text of an id; `internal` has 16 bytes."""
    raw = _varint(table_number) + internal
    raw += _fletcher16(raw)
    characters = -(-len(raw) * 8 // 5)
    number = int.from_bytes(raw, "big") << (characters * 5 - len(raw) * 8)
    return "".join(ALPHABET[(number >> (5 * i)) & 31] for i in range(characters - 1, -1, -1))


def decode_id(text: str) -> DocumentId:
    """What an id carries. Raises MalformedId with the reason."""
    if not 31 <= len(text) <= 37:
        raise MalformedId(f"Invalid ID length {len(text)}")
    number = 0
    for letter in text:
        if letter not in _DIGITS:
            raise MalformedId(f"Invalid base32 character {letter!r}")
        number = number << 5 | _DIGITS[letter]
    size, padding = divmod(len(text) * 5, 8)
    if number & ((1 << padding) - 1):
        raise MalformedId("Invalid ID padding")
    raw = (number >> padding).to_bytes(size, "big")
    body = raw[:-2]
    if _fletcher16(body) != raw[-2:]:
        raise MalformedId("Invalid ID checksum")
    head, internal = body[:-_INTERNAL_BYTES], body[-_INTERNAL_BYTES:]
    table_number = sum((byte & 0x7F) << (7 * i) for i, byte in enumerate(head))
    if _varint(table_number) != head:
        raise MalformedId("Invalid table number in ID")
    return DocumentId(table_number, internal)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _fletcher16(raw: bytes) -> bytes:
    low = high = 0
    for byte in raw:
        low = (low + byte) % 255
        high = (high + low) % 255
    return bytes([low, high])
