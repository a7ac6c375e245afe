"""Checks a value against validator JSON and says what is wrong in the multi-line form of an official backend.

Used for arguments, return values and documents; the caller puts "ArgumentValidationError: " or the name of the table in
front. It knows ids only through a function that tells their table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from convex_embedded.store.errors import InvalidValue
from convex_embedded.store.order import equal
from convex_embedded.store.text import show, show_validator
from convex_embedded.store.values import COMMIT_TS, MAX_NESTING, Value, decode

Validator: TypeAlias = Any
"""Validator JSON as in the npm package convex: {"type": "string"}, {"type": "object", "value": {…}}, …"""
TableOfId: TypeAlias = Callable[[str], str | None]
"""The name of the table that an id belongs to; None when the text is no id of this namespace."""


def check(validator: Validator, value: Value, table_of_id: TableOfId, path: str = "") -> str | None:
    """What does not fit, or None. `path` is where the value lies, as ".a.b[0]"."""
    kind = validator["type"]
    if kind == "object":
        return _check_object(validator, value, table_of_id, path)
    if kind == "array":
        if not isinstance(value, list):
            return _mismatch(validator, value, path)
        return _first(check(validator["value"], item, table_of_id, f"{path}[{i}]") for i, item in enumerate(value))
    if kind == "record":
        return _check_record(validator, value, table_of_id, path)
    if kind == "union":
        return _check_union(validator, value, table_of_id, path)
    if kind == "id":
        return _check_id(validator, value, table_of_id, path)
    if kind == "literal":
        if equal(decode(validator["value"]), value):
            return None
        return f"`{show(value)}` does not match literal validator `{show_validator(validator)}`.{_trace(path)}"
    return None if _SCALARS[kind](value) else _mismatch(validator, value, path)


_SCALARS: dict[str, Callable[[Value], bool]] = {
    "any": lambda value: True,
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, float),
    "bigint": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "commitTs": lambda value: value is COMMIT_TS or (isinstance(value, int) and not isinstance(value, bool)),
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, bytes),
}


def _check_object(validator: Validator, value: Value, table_of_id: TableOfId, path: str) -> str | None:
    if not isinstance(value, dict):
        return _mismatch(validator, value, path)
    fields = validator["value"]
    for name, field in fields.items():
        if name not in value and not field["optional"]:
            head = (
                f"Object is missing the required field `{name}`. "
                "Consider wrapping the field validator in `v.optional(...)` if this is expected."
            )
            return _failure(head, "Object", validator, value, path)
    for name in value:
        if name not in fields:
            return _failure(
                f"Object contains extra field `{name}` that is not in the validator.", "Object", validator, value, path
            )
    return _first(check(fields[name]["fieldType"], item, table_of_id, f"{path}.{name}") for name, item in value.items())


def _check_record(validator: Validator, value: Value, table_of_id: TableOfId, path: str) -> str | None:
    if not isinstance(value, dict):
        return _mismatch(validator, value, path)
    for name, item in value.items():
        failure = check(validator["keys"], name, table_of_id, f"{path}.{name}") or check(
            validator["values"]["fieldType"], item, table_of_id, f"{path}.{name}"
        )
        if failure is not None:
            return failure
    return None


def _check_union(validator: Validator, value: Value, table_of_id: TableOfId, path: str) -> str | None:
    members = validator["value"]
    failures = [check(member, value, table_of_id, path) for member in members]
    if None in failures:
        return None
    return failures[0] if len(failures) == 1 else _mismatch(validator, value, path)


def _check_id(validator: Validator, value: Value, table_of_id: TableOfId, path: str) -> str | None:
    table = table_of_id(value) if isinstance(value, str) else None
    if table is None:
        return _mismatch(validator, value, path)
    if table == validator["tableName"]:
        return None
    return (
        f'Found ID "{value}" from table `{table}`, which does not match the table name in validator '
        f"`{show_validator(validator)}`.{_trace(path)}"
    )


def _mismatch(validator: Validator, value: Value, path: str) -> str:
    return _failure("Value does not match validator.", "Value", validator, value, path)


def _failure(head: str, label: str, validator: Validator, value: Value, path: str) -> str:
    return f"{head}\n{_trace(path).lstrip()}\n{label}: {show(value)}\nValidator: {show_validator(validator)}\n"


def _trace(path: str) -> str:
    return f"\nPath: {path}" if path else ""


def _first(failures: Iterator[str | None]) -> str | None:
    return next((failure for failure in failures if failure is not None), None)


def parse(validator: Any) -> Validator:
    """The same JSON when it is a validator in every part. It may come from generated code: raises InvalidValue."""
    todo: list[tuple[Any, int]] = [(validator, 0)]
    while todo:
        part, depth = todo.pop()
        if depth > MAX_NESTING or not isinstance(part, dict):
            raise InvalidValue("Validator is too nested or malformed")
        todo += [(inner, depth + 1) for inner in _inner(part)]
    return validator


def _inner(part: dict[str, Any]) -> list[Any]:
    kind, inner = part.get("type"), part.get("value")
    if kind in _SCALARS or (kind == "id" and isinstance(part.get("tableName"), str)):
        return []
    if kind == "literal":
        decode(inner)
        return []
    if kind == "array":
        return [inner]
    if kind == "union" and isinstance(inner, list):
        return inner
    if kind == "record" and isinstance(part.get("values"), dict):
        return [part.get("keys"), part["values"].get("fieldType")]
    if kind == "object" and isinstance(inner, dict):
        fields = list(inner.values())
        if all(isinstance(field, dict) and isinstance(field.get("optional"), bool) for field in fields):
            return [field.get("fieldType") for field in fields]
    raise InvalidValue(f"Malformed validator of type {kind!r}")
