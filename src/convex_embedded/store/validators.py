"""Checks a value against validator JSON and says what is wrong in the multi-line form of an official backend.

Used for arguments, return values and documents; the caller puts "ArgumentValidationError: " or the name of the table in
front. It knows ids only through a function that tells their table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from convex_embedded.store.errors import InvalidValue
from convex_embedded.store.order import equal
from convex_embedded.store.text import show, show_validator
from convex_embedded.store.values import COMMIT_TS, MAX_NESTING, Value, decode

Validator: TypeAlias = Any
"""Validator JSON as in the npm package convex: {"type": "string"}, {"type": "object", "value": {…}}, …"""
TableOfId: TypeAlias = Callable[[str], str | None]
"""The name of the table that an id belongs to; None when the text is no id of this namespace."""


Misfit: TypeAlias = Callable[[], str]
"""Tells what is wrong. Told only once it is sure: a union of a thousand members would tell a thousand times."""
MAX_STEPS: Final = 5_000_000
MAX_VALIDATOR_PARTS: Final = 100_000


def check(validator: Validator, value: Value, table_of_id: TableOfId, path: str = "") -> str | None:
    """What does not fit, or None. `path` is where the value lies, as ".a.b[0]"."""
    misfit = _Check(table_of_id).any(validator, value, path)
    return None if misfit is None else misfit()


class _Check:
    """One value against one validator. Both may come from generated code: the work on them is bounded."""

    def __init__(self, table_of_id: TableOfId) -> None:
        self._table_of_id = table_of_id
        self._steps = 0

    def any(self, validator: Validator, value: Value, path: str) -> Misfit | None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise InvalidValue("Value and validator are too large to be checked against each other")
        kind = validator["type"]
        if kind == "object":
            return self._object(validator, value, path)
        if kind == "array":
            if not isinstance(value, list):
                return _mismatch(validator, value, path)
            return _first(self.any(validator["value"], item, f"{path}[{i}]") for i, item in enumerate(value))
        if kind == "record":
            return self._record(validator, value, path)
        if kind == "union":
            return self._union(validator, value, path)
        if kind == "id":
            return self._id(validator, value, path)
        if kind == "literal":
            return None if equal(decode(validator["value"]), value) else _other_literal(validator, value, path)
        return None if _SCALARS[kind](value) else _mismatch(validator, value, path)

    def _object(self, validator: Validator, value: Value, path: str) -> Misfit | None:
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
                head = f"Object contains extra field `{name}` that is not in the validator."
                return _failure(head, "Object", validator, value, path)
        return _first(self.any(fields[name]["fieldType"], item, f"{path}.{name}") for name, item in value.items())

    def _record(self, validator: Validator, value: Value, path: str) -> Misfit | None:
        if not isinstance(value, dict):
            return _mismatch(validator, value, path)
        for name, item in value.items():
            place = f"{path}.{name}"
            failure = self.any(validator["keys"], name, place) or self.any(
                validator["values"]["fieldType"], item, place
            )
            if failure is not None:
                return failure
        return None

    def _union(self, validator: Validator, value: Value, path: str) -> Misfit | None:
        only = None
        for member in validator["value"]:
            only = self.any(member, value, path)
            if only is None:
                return None
        return only if len(validator["value"]) == 1 else _mismatch(validator, value, path)

    def _id(self, validator: Validator, value: Value, path: str) -> Misfit | None:
        table = self._table_of_id(value) if isinstance(value, str) else None
        if table is None:
            return _mismatch(validator, value, path)
        if table == validator["tableName"]:
            return None
        return lambda: (
            f'Found ID "{value}" from table `{table}`, which does not match the table name in validator '
            f"`{show_validator(validator)}`.{_trace(path)}"
        )


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


def _other_literal(validator: Validator, value: Value, path: str) -> Misfit:
    return lambda: f"`{show(value)}` does not match literal validator `{show_validator(validator)}`.{_trace(path)}"


def _mismatch(validator: Validator, value: Value, path: str) -> Misfit:
    return _failure("Value does not match validator.", "Value", validator, value, path)


def _failure(head: str, label: str, validator: Validator, value: Value, path: str) -> Misfit:
    return lambda: f"{head}\n{_trace(path).lstrip()}\n{label}: {show(value)}\nValidator: {show_validator(validator)}\n"


def _trace(path: str) -> str:
    return f"\nPath: {path}" if path else ""


def _first(failures: Iterator[Misfit | None]) -> Misfit | None:
    return next((failure for failure in failures if failure is not None), None)


def parse(validator: Any) -> Validator:
    """The same JSON when it is a validator in every part. It may come from generated code: raises InvalidValue."""
    todo: list[tuple[Any, int]] = [(validator, 0)]
    parts = 0
    while todo:
        part, depth = todo.pop()
        parts += 1
        if parts > MAX_VALIDATOR_PARTS:
            raise InvalidValue(f"Validator has more than {MAX_VALIDATOR_PARTS} parts")
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
