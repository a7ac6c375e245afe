"""The store of one deployment: committed tables of all component instances, their schemas, and the open transactions.

Synchronous and single-threaded: nothing can happen between the check and the application of a commit.
"""

from __future__ import annotations

import math
import re
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from convex_embedded.store.documents import without_system_fields
from convex_embedded.store.errors import LimitError, StoreError
from convex_embedded.store.ids import FIRST_TABLE_NUMBER, MalformedId, decode_id
from convex_embedded.store.limits import MAX_TABLES, MIB
from convex_embedded.store.reads import Commit, TableKey
from convex_embedded.store.schema import SYSTEM_TABLES, Schema, parse_schema
from convex_embedded.store.schema_checks import check_schema
from convex_embedded.store.tables import Table
from convex_embedded.store.transaction import Transaction
from convex_embedded.store.validators import Validator, check
from convex_embedded.store.values import Value
from convex_embedded.types import DeployError

_TABLE_NAME = re.compile(r"_?[a-zA-Z][a-zA-Z0-9_]{0,63}\Z")


class Store:
    """See the docstring of the package for the whole seam."""

    def __init__(self, *, clock_ns: Callable[[], int] = time.time_ns, max_bytes: int = 128 * MIB) -> None:
        self._clock_ns = clock_ns
        self._max_bytes = max_bytes
        self._bytes = 0
        self._tables: dict[TableKey, Table] = {}
        self._by_number: dict[int, Table] = {}
        self._schemas: dict[str, Schema] = {}
        self._open: weakref.WeakSet[Transaction] = weakref.WeakSet()
        self._last_creation_time = 0.0
        self.generation = 0
        """Grows with every deploy."""
        self.last_ts_ns = clock_ns()
        """Of the newest commit; before the first one, of the making of the store."""

    def begin(self, *, trusted: bool = False, journal: str | None = None) -> Transaction:
        """`trusted`: no limits, may write system tables. `journal`: of the last run of the same live query."""
        creation_time = max(self._clock_ns() / 1e6, self._last_creation_time)
        transaction = Transaction(self, trusted=trusted, journal=journal, creation_time=creation_time)
        self._open.add(transaction)
        return transaction

    def push(self, schemas: Mapping[str, Any]) -> None:
        """Give component instances their schemas (text or JSON of an export; None = no schema), all or none.

        Raises DeployError when a schema or an existing document does not fit.
        """
        parsed: dict[str, Schema | None] = {}
        for component, source in schemas.items():
            parsed[component] = schema = None if source is None else parse_schema(source)
            if schema is not None:
                check_schema(schema)
                self._check_documents(component, schema)
        for component, schema in parsed.items():
            self._adopt(component, schema)
        self.generation += 1

    def _adopt(self, component: str, schema: Schema | None) -> None:
        if schema is None:
            self._schemas.pop(component, None)
        else:
            self._schemas[component] = schema
        wanted = schema.tables if schema else {}
        for name in (*wanted, *SYSTEM_TABLES):
            self.ensure_table((component, name))
        for (owner, name), table in self._tables.items():
            if owner == component and name not in SYSTEM_TABLES:
                table.set_schema(wanted.get(name))

    def _check_documents(self, component: str, schema: Schema) -> None:
        if not schema.validation:
            return

        def table_of_id(text: str) -> str | None:
            return self.table_of(component, text)

        for name, table_schema in schema.tables.items():
            table = self._tables.get((component, name))
            for document in table.documents.values() if table else ():
                failure = check(table_schema.document, without_system_fields(document.value), table_of_id)
                if failure is not None:
                    raise DeployError(
                        f'Schema validation failed.\nDocument with ID "{document.id}" in table "{name}" does not match '
                        f"the schema: {failure}"
                    )

    def schema_json(self, component: str) -> str | None:
        """The schema as the system function getSchemas shows it; None without one."""
        schema = self._schemas.get(component)
        return schema.to_json() if schema else None

    def tables(self, component: str) -> tuple[str, ...]:
        """Names of the tables with a schema or documents, sorted; no system tables."""
        return tuple(
            sorted(
                name
                for (owner, name), table in self._tables.items()
                if owner == component and name not in SYSTEM_TABLES and (table.schema is not None or table.documents)
            )
        )

    def table_numbers(self, component: str) -> dict[str, int]:
        """The number in the ids of each table, system tables included."""
        return {name: table.number for (owner, name), table in self._tables.items() if owner == component}

    def table_of(self, component: str, id_: str) -> str | None:
        """The table of a component that an id belongs to, whether its document exists or not."""
        try:
            table = self._by_number.get(decode_id(id_).table_number)
        except MalformedId:
            return None
        return table.key[1] if table is not None and table.key[0] == component else None

    def validate(self, component: str, validator: Validator, value: Value) -> str | None:
        """What is wrong with a value, in the official form; None when it fits."""
        return check(validator, value, lambda text: self.table_of(component, text))

    # For transactions

    def table(self, key: TableKey) -> Table | None:
        """A table that exists."""
        return self._tables.get(key)

    def ensure_table(self, key: TableKey) -> Table:
        """A table, made when it does not exist. Raises StoreError for a name that no table can have."""
        if key not in self._tables:
            if not _TABLE_NAME.match(key[1]):
                raise StoreError(
                    f'Invalid table name: "{key[1]}". Identifiers must start with a letter and can only contain '
                    "letters, digits, and underscores."
                )
            if len(self._tables) >= MAX_TABLES:
                raise LimitError(f"Too many tables (limit: {MAX_TABLES})")
            table = Table(key, FIRST_TABLE_NUMBER + len(self._tables))
            self._tables[key] = table
            self._by_number[table.number] = table
        return self._tables[key]

    def document_validator(self, component: str, table: str) -> Validator | None:
        """What documents of a table must fit; None when they are not checked."""
        if table in SYSTEM_TABLES:
            return SYSTEM_TABLES[table].document
        schema = self._schemas.get(component)
        found = schema.tables.get(table) if schema is not None and schema.validation else None
        return found.document if found else None

    def check_room(self, more_bytes: int) -> None:
        """Keeps one hostile deployment from eating the memory of all. Raises LimitError."""
        if self._bytes + more_bytes > self._max_bytes:
            raise LimitError(f"The database of this deployment is full (limit: {self._max_bytes} bytes)")

    def next_ts_ns(self) -> int:
        """A timestamp for a commit: the clock, but always later than the last."""
        return max(self._clock_ns(), self.last_ts_ns + 1)

    def apply(self, commit: Commit, creation_time: float) -> None:
        """Make a checked commit visible to transactions that begin from now on."""
        for transaction in list(self._open):
            transaction.observe(commit)
        for write in commit.writes:
            self._tables[write.table_key].apply(write)
            self._bytes += (write.new.size_bytes if write.new else 0) - (write.old.size_bytes if write.old else 0)
        self.last_ts_ns = commit.ts_ns
        self._last_creation_time = max(self._last_creation_time, math.nextafter(creation_time, math.inf))

    def forget(self, transaction: Transaction) -> None:
        """The transaction is over."""
        self._open.discard(transaction)
