"""A parsed schema: tables, their validators and indexes, from the JSON of `defineSchema(...).export()`.

Parsing is strict about shape only; what a deploy refuses is in `schema_checks.py`. Also shows a schema in the form of
the system function getSchemas, and holds the definitions of the system tables.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from convex_embedded.store.errors import InvalidValue
from convex_embedded.store.validators import Validator, parse
from convex_embedded.types import DeployError

FieldPath = tuple[str, ...]


@dataclass(frozen=True)
class IndexSpec:
    """An ordered index."""

    name: str
    fields: tuple[str, ...]
    """As written, without the `_creationTime` that every index ends with."""
    staged: bool = False

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields of its keys; ties are impossible."""
        if self.fields == ("_id",):
            return self.fields
        return (
            (*self.fields, "_id") if self.fields[-1:] == ("_creationTime",) else (*self.fields, "_creationTime", "_id")
        )

    @property
    def range_fields(self) -> tuple[str, ...]:
        """The fields that a range may name, in order."""
        return self.fields if self.fields in (("_id",), ("_creationTime",)) else (*self.fields, "_creationTime")


@dataclass(frozen=True)
class SearchSpec:
    """A full-text index."""

    name: str
    field: str
    filters: tuple[str, ...]
    staged: bool = False


@dataclass(frozen=True)
class VectorSpec:
    """A vector index."""

    name: str
    field: str
    dimensions: int
    filters: tuple[str, ...]
    staged: bool = False


BY_ID: Final = IndexSpec("by_id", ("_id",))
BY_CREATION_TIME: Final = IndexSpec("by_creation_time", ("_creationTime",))


@dataclass(frozen=True)
class TableSchema:
    """One table of a schema."""

    name: str
    document: Validator
    indexes: tuple[IndexSpec, ...] = ()
    searches: tuple[SearchSpec, ...] = ()
    vectors: tuple[VectorSpec, ...] = ()
    staged_document: Validator | None = None

    @property
    def all_indexes(self) -> tuple[IndexSpec | SearchSpec | VectorSpec, ...]:
        """Of every kind, staged ones included."""
        return (*self.indexes, *self.searches, *self.vectors)

    @property
    def staged_names(self) -> frozenset[str]:
        """The indexes that no query may use yet."""
        return frozenset(index.name for index in self.all_indexes if index.staged)


@dataclass(frozen=True)
class Schema:
    """The schema of one component instance."""

    tables: Mapping[str, TableSchema]
    validation: bool
    """False: documents are not checked."""

    def to_json(self) -> str:
        """As the system function getSchemas shows it."""
        tables = [_table_json(self.tables[name]) for name in sorted(self.tables)]
        return jsonlib.dumps({"tables": tables, "schemaValidation": self.validation})


def parse_schema(source: Any) -> Schema:
    """From the text or the parsed JSON of an exported schema. Raises DeployError when it has another shape."""
    try:
        raw = jsonlib.loads(source) if isinstance(source, (str, bytes)) else source
        tables = [_parse_table(table) for table in raw["tables"]]
        return Schema({table.name: table for table in tables}, raw.get("schemaValidation", True) is not False)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, InvalidValue) as error:
        raise DeployError(f"The schema could not be read: {type(error).__name__}: {error}") from error


def _parse_table(raw: Any) -> TableSchema:
    return TableSchema(
        name=_text(raw["tableName"]),
        document=parse(raw.get("documentType") or {"type": "any"}),
        indexes=tuple(
            IndexSpec(_text(one["indexDescriptor"]), _texts(one["fields"]), staged)
            for one, staged in _with_staged(raw, "indexes", "stagedDbIndexes")
        ),
        searches=tuple(
            SearchSpec(_text(one["indexDescriptor"]), _text(one["searchField"]), _texts(one["filterFields"]), staged)
            for one, staged in _with_staged(raw, "searchIndexes", "stagedSearchIndexes")
        ),
        vectors=tuple(
            VectorSpec(
                _text(one["indexDescriptor"]),
                _text(one["vectorField"]),
                one["dimensions"],
                _texts(one["filterFields"]),
                staged,
            )
            for one, staged in _with_staged(raw, "vectorIndexes", "stagedVectorIndexes")
        ),
        staged_document=None if raw.get("stagedDocumentType") is None else parse(raw["stagedDocumentType"]),
    )


def _with_staged(raw: Any, active: str, staged: str) -> list[tuple[Any, bool]]:
    return [(one, False) for one in raw.get(active) or ()] + [(one, True) for one in raw.get(staged) or ()]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a string, got {value!r}")
    return value


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(_text(value) for value in values)


def _table_json(table: TableSchema) -> dict[str, Any]:
    def indexes(staged: bool) -> list[Any]:
        chosen = sorted((one for one in table.indexes if one.staged is staged), key=lambda one: one.name)
        return [{"indexDescriptor": one.name, "fields": [*one.fields, "_creationTime"]} for one in chosen]

    def searches(staged: bool) -> list[Any]:
        chosen = sorted((one for one in table.searches if one.staged is staged), key=lambda one: one.name)
        return [
            {"indexDescriptor": one.name, "searchField": one.field, "filterFields": sorted(one.filters)}
            for one in chosen
        ]

    def vectors(staged: bool) -> list[Any]:
        chosen = sorted((one for one in table.vectors if one.staged is staged), key=lambda one: one.name)
        return [
            {
                "indexDescriptor": one.name,
                "vectorField": one.field,
                "dimensions": one.dimensions,
                "filterFields": sorted(one.filters),
            }
            for one in chosen
        ]

    out: dict[str, Any] = {
        "tableName": table.name,
        "indexes": indexes(False),
        "stagedDbIndexes": indexes(True),
        "searchIndexes": searches(False),
        "stagedSearchIndexes": searches(True),
        "vectorIndexes": vectors(False),
        "stagedVectorIndexes": vectors(True),
        "documentType": table.document,
    }
    if table.staged_document is not None:
        out["stagedDocumentType"] = table.staged_document
    return out


def _object(**fields: Any) -> Validator:
    return {
        "type": "object",
        "value": {
            name: {"fieldType": field[0], "optional": True} if isinstance(field, tuple) else _required(field)
            for name, field in fields.items()
        },
    }


def _required(field: Validator) -> Any:
    return {"fieldType": field, "optional": False}


_STRING: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}


def _state(kind: str, **more: Any) -> Validator:
    return _object(kind={"type": "literal", "value": kind}, **more)


SYSTEM_TABLES: Final[Mapping[str, TableSchema]] = {
    "_scheduled_functions": TableSchema(
        "_scheduled_functions",
        _object(
            name=_STRING,
            args={"type": "array", "value": {"type": "any"}},
            scheduledTime=_NUMBER,
            completedTime=(_NUMBER,),
            state={
                "type": "union",
                "value": [
                    _state("pending"),
                    _state("inProgress"),
                    _state("success"),
                    _state("failed", error=_STRING),
                    _state("canceled"),
                ],
            },
        ),
    ),
    "_storage": TableSchema("_storage", _object(sha256=_STRING, size=_NUMBER, contentType=(_STRING,))),
}
"""Written by the trusted side only; generated code reads them through `db.system`."""
