"""Queries as generated code hands them over: parsed, checked against the indexes of the table, and made resumable.

A plan yields rows in the order of their keys, so a cursor is the key of the last row read: stable whatever is written
in between. Everything here may come from generated code: malformed parts are StoreErrors. It reads no documents itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json as jsonlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from convex_embedded.store.errors import StoreError
from convex_embedded.store.expressions import compile_filter
from convex_embedded.store.indexes import TextIndex
from convex_embedded.store.order import sort_key, successor
from convex_embedded.store.reads import Interval
from convex_embedded.store.schema import BY_CREATION_TIME, BY_ID, IndexSpec
from convex_embedded.store.search import TextQuery, parse_text_query
from convex_embedded.store.tables import Table, missing_index
from convex_embedded.store.values import Value, decode_or_undefined

MAX_OPERATORS: Final = 256
_DOCS: Final = "For more information see https://docs.convex.dev/using/indexes."

Operator = Callable[[Value], bool] | int
"""A filter, or a limit."""


@dataclass(frozen=True)
class Plan:
    """A query that fits the schema."""

    table: str
    index: str | None
    """The index that was asked for; None for a scan of the table."""
    descending: bool
    spec: IndexSpec
    interval: Interval
    text: tuple[TextIndex, TextQuery] | None
    operators: tuple[Operator, ...]
    fingerprint: str

    @property
    def limits(self) -> list[int]:
        """The limits of a fresh run, in order; `admits` counts them down."""
        return [operator for operator in self.operators if isinstance(operator, int)]

    def admits(self, value: Value, limits: list[int]) -> bool:
        """Whether a row passes all operators. Call only while no limit is used up."""
        position = 0
        for operator in self.operators:
            if isinstance(operator, int):
                limits[position] -= 1
                position += 1
            elif not operator(value):
                return False
        return True


def table_of_query(query: Any) -> str:
    """The table that a query reads."""
    source = _part(query, "source", dict)
    if source.get("type") == "FullTableScan":
        return str(_part(source, "tableName", str))
    return str(_part(source, "indexName", str)).partition(".")[0]


def plan_query(query: Any, table: Table | None) -> Plan:
    """Raises StoreError when the query is malformed or names an index that is not there."""
    name = table_of_query(query)
    source = query["source"]
    kind = source.get("type")
    spec, interval, text, index = BY_CREATION_TIME, Interval(b"", None), None, None
    if kind == "IndexRange":
        index = source["indexName"].partition(".")[2]
        spec = _database_index(name, index, table)
        interval = _interval(f"{name}.{index}", spec, _part(source, "range", list))
    elif kind == "Search":
        index = source["indexName"].partition(".")[2]
        text_index = _text_index(name, index, table)
        filters = [_filter_of(one) for one in _part(source, "filters", list)]
        text = (text_index, parse_text_query(f"{name}.{index}", text_index.spec, filters))
    elif kind != "FullTableScan":
        raise StoreError(f"Unknown query source {kind!r}")
    order = source.get("order")
    if order not in (None, "asc", "desc"):
        raise StoreError(f"Unknown order {order!r}: use 'asc' or 'desc'")
    canonical = jsonlib.dumps(query, sort_keys=True)
    return Plan(
        table=name,
        index=index,
        descending=order == "desc" and text is None,
        spec=spec,
        interval=interval,
        text=text,
        operators=_operators(_part(query, "operators", list)),
        fingerprint=hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:12],
    )


def _database_index(table_name: str, name: str, table: Table | None) -> IndexSpec:
    if name in (BY_ID.name, BY_CREATION_TIME.name):
        return BY_ID if name == BY_ID.name else BY_CREATION_TIME
    if table is not None and name in table.ordered:
        return table.ordered[name].spec
    raise missing_index(table_name, name, table)


def _text_index(table_name: str, name: str, table: Table | None) -> TextIndex:
    if table is not None and name in table.texts:
        return table.texts[name]
    raise missing_index(table_name, name, table)


def _operators(raw: list[Any]) -> tuple[Operator, ...]:
    if len(raw) > MAX_OPERATORS:
        raise StoreError(f"Can't construct query with more than {MAX_OPERATORS} operators")
    operators: list[Operator] = []
    for one in raw:
        if isinstance(one, dict) and "filter" in one:
            operators.append(compile_filter(one["filter"]))
            continue
        limit = one.get("limit") if isinstance(one, dict) else None
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 <= limit < 2**53 or limit % 1:
            raise StoreError("Malformed query operator: expected a filter or a non-negative integer limit")
        operators.append(int(limit))
    return tuple(operators)


def _interval(index: str, spec: IndexSpec, ranges: list[Any]) -> Interval:
    """The keys that a range expression admits: equalities on a prefix of the fields, then bounds on the next."""
    fields = spec.range_fields
    named = [_part(one, "fieldPath", str) for one in ranges]
    for field in named:
        if field not in fields:
            raise StoreError(
                f'The index range included a comparison with "{field}", but {index} with fields '
                f"{jsonlib.dumps(list(fields))} doesn't index this field."
            )
    prefix, position, lower, upper = b"", 0, None, None
    for one in ranges:
        kind, key = one.get("type"), sort_key(decode_or_undefined(one.get("value")))
        bounded = lower is not None or upper is not None
        if position >= len(fields) or one["fieldPath"] != fields[position] or (kind == "Eq" and bounded):
            raise _out_of_order(index, fields, named, one["fieldPath"])
        if kind == "Eq":
            prefix, position = prefix + key, position + 1
        elif kind in ("Gt", "Gte") and lower is None:
            lower = prefix + key if kind == "Gte" else successor(prefix + key)
        elif kind in ("Lt", "Lte") and upper is None:
            upper = prefix + key if kind == "Lt" else successor(prefix + key)
        else:
            raise StoreError(
                f"The index range of {index} has more than one {'lower' if kind in ('Gt', 'Gte') else 'upper'} bound "
                f'on "{one["fieldPath"]}".'
            )
    end = successor(prefix) if upper is None else upper
    start = prefix if lower is None else lower
    return Interval(start, end) if end is None or start <= end else Interval(start, start)


def _out_of_order(index: str, fields: tuple[str, ...], named: list[str], wrong: str) -> StoreError:
    return StoreError(
        f"Tried to query index {index} but the query didn't use the index fields in order.\n"
        f"Index fields: {jsonlib.dumps(list(fields))}\n"
        f"Query fields: {jsonlib.dumps(named)}\n"
        f"First incorrect field: {wrong}\n\n{_DOCS}"
    )


def _filter_of(one: Any) -> Any:
    _part(one, "fieldPath", str)
    if one.get("type") not in ("Search", "Eq") or (one["type"] == "Search" and not isinstance(one.get("value"), str)):
        raise StoreError("Malformed filter of a search query")
    return one


def _part(raw: Any, name: str, kind: type) -> Any:
    if not isinstance(raw, dict) or not isinstance(raw.get(name), kind):
        raise StoreError(f"Malformed query: `{name}` is missing or no {kind.__name__}")
    return raw[name]


@dataclass(frozen=True)
class Position:
    """Where a run of a query stands: before everything, after a key, or at the end."""

    at: Literal["start", "key", "end"]
    key: bytes = b""

    def rest(self, interval: Interval, *, descending: bool) -> Interval:
        """The part of an interval that is still to come."""
        if self.at == "start":
            return interval
        if self.at == "end":
            return Interval(interval.start, interval.start)
        if descending:
            end = self.key if interval.end is None else min(self.key, interval.end)
            return Interval(min(interval.start, end), end)
        start = max(self.key + b"\x00", interval.start)
        return Interval(start, interval.end if interval.end is None else max(start, interval.end))

    def passed(self, interval: Interval, *, descending: bool) -> Interval:
        """The part of an interval up to here, this key included."""
        if self.at == "end":
            return interval
        if self.at == "start":
            return Interval(interval.start, interval.start)
        if descending:
            start = max(self.key, interval.start)
            return Interval(start, interval.end if interval.end is None else max(start, interval.end))
        end = self.key + b"\x00"
        return Interval(interval.start, max(interval.start, end if interval.end is None else min(end, interval.end)))


START: Final = Position("start")
END: Final = Position("end")


def show_position(position: Position, fingerprint: str) -> str:
    """As a cursor: opaque to clients, good for the same query only."""
    return f"{fingerprint}.{position.at}.{base64.urlsafe_b64encode(position.key).decode()}"


def parse_position(cursor: str | None, fingerprint: str) -> Position:
    """From a cursor; None = the start. Raises StoreError."""
    if cursor is None:
        return START
    parts = cursor.split(".")
    if len(parts) != 3 or parts[1] not in ("start", "key", "end"):
        raise StoreError(f"InvalidCursor: Failed to parse cursor {cursor!r}")
    if parts[0] != fingerprint:
        raise StoreError(
            "InvalidCursor: Tried to run a query starting from a cursor, but it looks like this cursor is from a "
            "different query."
        )
    try:
        key = base64.b64decode(parts[2], altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise StoreError(f"InvalidCursor: Failed to parse cursor {cursor!r}") from error
    return START if parts[1] == "start" else END if parts[1] == "end" else Position("key", key)


def show_progress(position: Position, limits: list[int], fingerprint: str) -> str:
    """The cursor between two batches of one run: position and what is left of the limits."""
    return ".".join([show_position(position, fingerprint), *map(str, limits)])


def parse_progress(cursor: str | None, plan: Plan) -> tuple[Position, list[int]]:
    """The inverse of `show_progress`. Raises StoreError."""
    if cursor is None:
        return START, plan.limits
    parts = cursor.split(".")
    counts = parts[3:]
    if len(counts) != len(plan.limits) or not all(count.isdecimal() for count in counts):
        raise StoreError(f"InvalidCursor: Failed to parse cursor {cursor!r}")
    return parse_position(".".join(parts[:3]), plan.fingerprint), [int(count) for count in counts]
