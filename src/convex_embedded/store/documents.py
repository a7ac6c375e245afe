"""A stored document and the checks that every document passes before it is written.

Documents are immutable: a write makes a new one. This module knows no tables beyond their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from convex_embedded.store.errors import InvalidValue, LimitError
from convex_embedded.store.limits import (
    MAX_DOCUMENT_BYTES,
    MAX_DOCUMENT_FIELD_NAME,
    MAX_DOCUMENT_NESTING,
    MIB,
)
from convex_embedded.store.order import equal, sort_key
from convex_embedded.store.values import Json, Value, at_path, encode, nesting, size_bytes, with_commit_ts

SYSTEM_FIELDS: Final = ("_id", "_creationTime")
_FIELD: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


@dataclass(frozen=True, eq=False)
class Document:
    """One version of a document."""

    component: str
    table: str
    id: str
    value: dict[str, Value]
    """Decoded, with `_id` and `_creationTime`; never changed in place."""

    @cached_property
    def json(self) -> Json:
        """In the wire encoding; never changed in place."""
        return encode(self.value)

    @cached_property
    def size_bytes(self) -> int:
        """As Convex counts it, system fields included."""
        return size_bytes(self.value)

    @property
    def creation_time(self) -> float:
        """Milliseconds since 1970."""
        time: float = self.value["_creationTime"]
        return time

    def key(self, fields: tuple[tuple[str, ...], ...]) -> bytes:
        """Its key in an index over these field paths."""
        return b"".join(sort_key(at_path(self.value, path)) for path in fields)


def check_document(document: Document) -> None:
    """Raises InvalidValue or LimitError when no table could hold it."""
    for name in document.value:
        if name in SYSTEM_FIELDS:
            continue
        if name.startswith("_"):
            raise InvalidValue(
                f"Field '{name}' starts with an underscore, which is only allowed for system fields like '_id'."
            )
        if not _FIELD.match(name):
            raise InvalidValue(
                f"Field name '{name}' is invalid: top-level field names of a document can only contain letters, digits "
                "and underscores and must start with a letter."
            )
        if len(name) > MAX_DOCUMENT_FIELD_NAME:
            raise LimitError(
                f"Field name '{name}' is too long ({len(name)} > maximum length {MAX_DOCUMENT_FIELD_NAME})"
            )
    if len(document.value) - len(SYSTEM_FIELDS) > 1024:
        raise LimitError(f"Object has too many fields ({len(document.value)} > maximum number 1024)")
    if document.size_bytes > MAX_DOCUMENT_BYTES:
        size = f"{document.size_bytes / MIB:.2f} MiB"
        raise LimitError(f"Value is too large ({size} > maximum size 1 MiB)")
    if nesting(document.value) - 1 > MAX_DOCUMENT_NESTING:
        raise LimitError(f"Document is too nested (maximum nesting {MAX_DOCUMENT_NESTING})")


def without_system_fields(value: dict[str, Value]) -> dict[str, Value]:
    """What the schema of a table speaks about."""
    return {name: item for name, item in value.items() if name not in SYSTEM_FIELDS}


def fields_of(value: Value) -> dict[str, Value]:
    """The value as the body of a document. Raises InvalidValue."""
    if not isinstance(value, dict):
        raise InvalidValue("Value must be an Object")
    return value


def system_fields(document: Document) -> dict[str, Value]:
    """What stays when a document is replaced."""
    return {"_creationTime": document.value["_creationTime"], "_id": document.id}


def check_system_fields(old: Document, fields: Mapping[str, Value]) -> None:
    """Raises InvalidValue when a write would change `_id` or `_creationTime`."""
    for name, value in system_fields(old).items():
        if name in fields and not equal(fields[name], value):
            raise InvalidValue(f"The system field `{name}` of document {old.id} cannot be changed.")


def resolved(document: Document, ts_ns: int) -> Document:
    """The document as its commit stores it: with the commit timestamp where a placeholder stood."""
    value = with_commit_ts(document.value, ts_ns)
    return document if value is document.value else Document(document.component, document.table, document.id, value)
