"""What a deploy refuses in a schema, apart from the documents that are there already.

Each refusal is a DeployError that names the table, and the index or field. It reads schemas only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from convex_embedded.store.schema import SYSTEM_TABLES, IndexSpec, Schema, SearchSpec, TableSchema, VectorSpec
from convex_embedded.store.validators import Validator
from convex_embedded.types import DeployError

MAX_INDEXES: Final = 32
MAX_SEARCH_INDEXES: Final = 4
MAX_VECTOR_INDEXES: Final = 4
MAX_INDEX_FIELDS: Final = 16
MAX_FILTER_FIELDS: Final = 16
MAX_NAME: Final = 64
MIN_DIMENSIONS: Final = 2
MAX_DIMENSIONS: Final = 2048
RESERVED_INDEXES: Final = frozenset({"by_id", "by_creation_time"})
_IDENTIFIER: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*\Z")
_FIELD: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


def check_schema(schema: Schema) -> None:
    """Raises DeployError at the first thing that an official backend would refuse."""
    for table in schema.tables.values():
        _check_name(table.name, "table name")
        validators = [table.document] + ([table.staged_document] if table.staged_document is not None else [])
        for validator in validators:
            _check_document_type(table.name, validator)
            _check_references(schema, table.name, validator)
        _check_indexes(table)


def _check_name(name: str, what: str) -> None:
    if len(name) > MAX_NAME:
        raise DeployError(f'Invalid {what}: "{name}" is too long ({len(name)} > maximum {MAX_NAME} characters).')
    if not _IDENTIFIER.match(name):
        raise DeployError(
            f'Invalid {what}: "{name}". Identifiers must start with a letter and can only contain letters, digits, '
            "and underscores."
        )


def _check_document_type(table: str, validator: Validator) -> None:
    kind = validator["type"]
    if kind == "union":
        for member in validator["value"]:
            _check_document_type(table, member)
    elif kind == "object":
        for name in validator["value"]:
            if name.startswith("_"):
                raise DeployError(
                    f'In table "{table}" the field "{name}" is invalid: top-level fields that start with an underscore '
                    "are reserved for system fields like `_id` and `_creationTime`."
                )
            if not _FIELD.match(name) or len(name) > MAX_NAME:
                raise DeployError(
                    f'In table "{table}" the field "{name}" is invalid: top-level field names have at most {MAX_NAME} '
                    "letters, digits and underscores and start with a letter."
                )
    elif kind != "any":
        raise DeployError(
            f'The documents of table "{table}" must be objects or unions of objects, but the schema defines "{kind}".'
        )


def _check_references(schema: Schema, table: str, validator: Validator) -> None:
    for part in _parts(validator):
        if part["type"] != "id":
            continue
        name = part["tableName"]
        if name not in schema.tables and name not in SYSTEM_TABLES:
            raise DeployError(
                f'In table "{table}" the validator `v.id("{name}")` references the table "{name}", '
                "which does not exist in the schema."
            )


def _parts(validator: Validator) -> Iterator[Validator]:
    """The validator and everything inside it."""
    yield validator
    kind = validator["type"]
    if kind == "array":
        yield from _parts(validator["value"])
    elif kind == "union":
        for member in validator["value"]:
            yield from _parts(member)
    elif kind == "record":
        yield from _parts(validator["keys"])
        yield from _parts(validator["values"]["fieldType"])
    elif kind == "object":
        for field in validator["value"].values():
            yield from _parts(field["fieldType"])


def _check_indexes(table: TableSchema) -> None:
    seen: set[str] = set()
    for index in table.all_indexes:
        _check_name(index.name, f'index name in table "{table.name}"')
        if index.name in RESERVED_INDEXES:
            raise DeployError(f'In table "{table.name}" the index name "{index.name}" is reserved.')
        if index.name in seen:
            raise DeployError(
                f'In table "{table.name}" the index "{index.name}" is defined more than once: '
                "names are shared by database, search and vector indexes."
            )
        seen.add(index.name)
    _check_counts(table)
    for database in table.indexes:
        _check_database_index(table, database)
    for search in table.searches:
        _check_search_index(table, search)
    for vector in table.vectors:
        _check_vector_index(table, vector)


def _check_counts(table: TableSchema) -> None:
    for kind, indexes, limit in (
        ("indexes", table.all_indexes, MAX_INDEXES),
        ("search indexes", table.searches, MAX_SEARCH_INDEXES),
        ("vector indexes", table.vectors, MAX_VECTOR_INDEXES),
    ):
        if len(indexes) > limit:
            raise DeployError(f'Table "{table.name}" has too many {kind}: {len(indexes)} (maximum {limit}).')


def _check_database_index(table: TableSchema, index: IndexSpec) -> None:
    where = f'In table "{table.name}" the index "{index.name}" is invalid because'
    if not index.fields:
        raise DeployError(f"{where} it must have at least one field.")
    if len(index.fields) > MAX_INDEX_FIELDS:
        raise DeployError(f"{where} it has {len(index.fields)} fields (maximum {MAX_INDEX_FIELDS}).")
    for system in ("_creationTime", "_id"):
        if system in index.fields:
            raise DeployError(
                f"{where} `{system}` is automatically added to the end of each index, "
                "so it should not be added explicitly in the index definition."
            )
    _check_fields(table, where, index.fields)


def _check_search_index(table: TableSchema, index: SearchSpec) -> None:
    where = f'In table "{table.name}" the search index "{index.name}" is invalid because'
    _check_filters(table, where, index.filters)
    _check_fields(table, where, (index.field,))


def _check_vector_index(table: TableSchema, index: VectorSpec) -> None:
    where = f'In table "{table.name}" the vector index "{index.name}" is invalid because'
    size = index.dimensions
    if (
        not isinstance(size, (int, float))
        or isinstance(size, bool)
        or size % 1
        or not MIN_DIMENSIONS <= size <= MAX_DIMENSIONS
    ):
        raise DeployError(
            f"{where} its dimensions must be an integer between {MIN_DIMENSIONS} and {MAX_DIMENSIONS}, got {size}."
        )
    _check_filters(table, where, index.filters)
    _check_fields(table, where, (index.field,))
    path = tuple(index.field.split("."))
    if not any(_may_be_vector(validator) for validator in _at_path(table.document, path)):
        raise DeployError(f'{where} the vector field "{index.field}" is not an array of `v.float64()`.')


def _check_filters(table: TableSchema, where: str, filters: tuple[str, ...]) -> None:
    if len(filters) > MAX_FILTER_FIELDS:
        raise DeployError(f"{where} it has {len(filters)} filter fields (maximum {MAX_FILTER_FIELDS}).")
    _check_fields(table, where, filters)


def _check_fields(table: TableSchema, where: str, fields: Iterable[str]) -> None:
    seen: set[str] = set()
    for field in fields:
        if field in seen:
            raise DeployError(f'{where} it names the field "{field}" more than once.')
        seen.add(field)
        known = field in ("_id", "_creationTime") or next(_at_path(table.document, tuple(field.split("."))), None)
        if not known:
            raise DeployError(f'{where} it references the field "{field}" that does not exist.')


def _at_path(validator: Validator, path: tuple[str, ...]) -> Iterator[Validator]:
    """The validators that a value at this path may have to fit; none when the field cannot exist."""
    kind = validator["type"]
    if not path or kind == "any":
        yield validator
    elif kind == "union":
        for member in validator["value"]:
            yield from _at_path(member, path)
    elif kind == "object" and path[0] in validator["value"]:
        yield from _at_path(validator["value"][path[0]]["fieldType"], path[1:])
    elif kind == "record":
        yield from _at_path(validator["values"]["fieldType"], path[1:])


def _may_be_vector(validator: Validator) -> bool:
    kind = validator["type"]
    if kind == "union":
        return any(map(_may_be_vector, validator["value"]))
    if kind != "array":
        return bool(kind == "any")
    return any(part["type"] in ("number", "any") for part in _parts(validator["value"]))
