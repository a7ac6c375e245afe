"""Schema and function specification of the submission beside those of the answer.

Compared is what the task fixes: order of tables, fields and union members never matters; order of functions, return
validators and internal functions matter on request only. A difference is an AssertionError with a diff.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from convex_evals.backends.evidence import plain_path
from convex_evals.graders.grading import Grading
from convex_evals.graders.waiting import diff


async def compare_schema(g: Grading, tables: Collection[str] | None = None) -> None:
    """Tables, fields and indexes equal the answer's; only these tables, when given."""
    actual = schema_by_table(await g.response.schema(), tables)
    expected = schema_by_table(await g.answer.schema(), tables)
    if actual != expected:
        raise AssertionError(f"the schema differs from the expected one\n{diff(actual, expected)}")


async def compare_function_spec(
    g: Grading,
    only: Collection[str] | None = None,
    *,
    order: bool = False,
    returns: bool = False,
    internal: bool = False,
) -> None:
    """Public functions and HTTP routes equal the answer's: kind, visibility, arguments. `only`: these "module:function"
    alone (then extra ones are free); `internal`: the internal ones too; `returns`, `order`: also compared."""
    actual = spec_entries(await g.response.function_spec(), only, returns=returns, internal=internal)
    expected = spec_entries(await g.answer.function_spec(), only, returns=returns, internal=internal)
    if not order:
        actual, expected = dict(sorted(actual.items())), dict(sorted(expected.items()))
    if list(actual.items()) != list(expected.items()):
        text = diff(list(actual.values()), list(expected.values()))
        raise AssertionError(f"the functions differ from the expected ones\n{text}")


def schema_by_table(schema: Mapping[str, Any] | None, tables: Collection[str] | None) -> dict[str, Any] | None:
    """A schema as table name → what defines the table, in a form in which equal schemas are equal."""
    if schema is None:
        return None
    found: dict[str, Any] = {}
    for table in schema["tables"]:
        name = table["tableName"]
        if tables is not None and name not in tables:
            continue
        indexes = {
            kind: {index["indexDescriptor"]: normal(index) for index in table[kind]}
            for kind in sorted(table)
            if kind.endswith("ndexes") and table[kind]
        }
        found[name] = {"documentType": normal(table.get("documentType")), **indexes}
    return found


def spec_entries(
    spec: Iterable[Mapping[str, Any]], only: Collection[str] | None, *, returns: bool, internal: bool
) -> dict[str, Any]:
    """Function name (or method and path of a route) → what callers depend on, in the order of the specification."""
    found: dict[str, Any] = {}
    for entry in spec:
        if entry["functionType"] == "HttpAction":
            if only is None:
                found[f"{entry['method']} {entry['path']}"] = {"method": entry["method"], "path": entry["path"]}
            continue
        name = plain_path(entry["identifier"])
        visibility = entry["visibility"]["kind"]
        if (only is not None and name not in only) or (visibility != "public" and not internal):
            continue
        shown = {"function": name, "functionType": entry["functionType"], "visibility": visibility}
        shown["args"] = _validator(entry["args"])
        if returns:
            shown["returns"] = _validator(entry["returns"])
        found[name] = shown
    return found


def _validator(value: Any) -> Any:
    """A validator as the specification gives it: JSON data, or text of it."""
    return normal(json.loads(value) if isinstance(value, str) else value)


def normal(value: Any) -> Any:
    """A validator or index with the members of its unions in a fixed order."""
    if isinstance(value, Mapping):
        members = {key: normal(item) for key, item in value.items()}
        if members.get("type") == "union" and isinstance(members.get("value"), list):
            members["value"] = sorted(members["value"], key=lambda member: json.dumps(member, sort_keys=True))
        return members
    if isinstance(value, list):
        return [normal(item) for item in value]
    return value
