"""The documented limits of a transaction and what it has used of them.

One `Meter` a (sub-)transaction: a nested call is measured on its own and within its callers. The names of resources
are those of `TransactionMetrics` in the npm package convex. It knows nothing of documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from convex_embedded.store.errors import LimitError

MIB: Final = 1024 * 1024
MAX_TABLES: Final = 10_000
MAX_DOCUMENT_BYTES: Final = MIB
MAX_DOCUMENT_NESTING: Final = 16
MAX_DOCUMENT_FIELD_NAME: Final = 64

TRANSACTION_LIMITS: Final[Mapping[str, int]] = {
    "bytesRead": 16 * MIB,
    "bytesWritten": 16 * MIB,
    "databaseQueries": 4096,
    "documentsRead": 32_000,
    "documentsWritten": 16_000,
    "functionsScheduled": 1000,
    "scheduledFunctionArgsBytes": 16 * MIB,
    "filesWritten": 4096,
    "fileWriteBytes": 1024 * MIB,
    "filesRead": 4096,
    "fileReadBytes": 1024 * MIB,
}
_READ_ADVICE: Final = (
    " Consider using smaller limits in your queries, paginating your queries, "
    "or using indexed queries with a selective index range expressions."
)
_EXCEEDED: Final[Mapping[str, str]] = {
    "bytesRead": "Too many bytes read in a single function execution (limit: {limit} bytes)." + _READ_ADVICE,
    "bytesWritten": "Too many bytes written in a single function execution (limit: {limit} bytes)",
    "databaseQueries": "Too many reads in a single function execution (limit: {limit})." + _READ_ADVICE,
    "documentsRead": "Too many documents read in a single function execution (limit: {limit})." + _READ_ADVICE,
    "documentsWritten": "Too many writes in a single function execution (limit: {limit})",
    "functionsScheduled": "Too many functions scheduled by this mutation (limit: {limit})",
    "scheduledFunctionArgsBytes": "Too large total size of the arguments of scheduled functions from this mutation"
    " (limit: {limit} bytes)",
    "filesWritten": "Too many files written in a single function execution (limit: {limit})",
    "fileWriteBytes": "Too many file bytes written in a single function execution (limit: {limit} bytes)",
    "filesRead": "Too many files read in a single function execution (limit: {limit})",
    "fileReadBytes": "Too many file bytes read in a single function execution (limit: {limit} bytes)",
}


@dataclass(frozen=True)
class Usage:
    """What one (sub-)transaction did: the evidence of a call."""

    documents_read: int
    bytes_read: int
    documents_written: int
    bytes_written: int
    index_ranges: int
    indexes: tuple[str, ...]
    """In order of first use: "messages.by_author"; search and vector indexes too."""
    full_scans: tuple[str, ...]
    """Tables read without an index, in order of first use."""


@dataclass(frozen=True)
class Savepoint:
    """Where a sub-transaction began."""

    depth: int
    """How many meters ran then, its own included."""
    undo_length: int


class Meter:
    """Counts and reports. `limits` None: nothing is refused."""

    def __init__(self, limits: Mapping[str, int] | None) -> None:
        self.limits = limits
        self.used = dict.fromkeys(TRANSACTION_LIMITS, 0)
        self.indexes: dict[str, None] = {}
        self.full_scans: dict[str, None] = {}
        self.pages = 0

    def check(self, resource: str, amount: int) -> None:
        """Raises LimitError when there is no room; KeyError for a resource that does not exist."""
        used = self.used[resource] + amount
        if self.limits is not None and used > self.limits[resource]:
            raise LimitError(_EXCEEDED[resource].format(limit=self.limits[resource]))

    def add(self, resource: str, amount: int) -> None:
        """Count."""
        self.used[resource] += amount

    def metrics(self) -> dict[str, dict[str, float]]:
        """In the shape of getTransactionMetrics."""
        limits = self.limits or TRANSACTION_LIMITS
        return {
            name: {"used": float(used), "remaining": float(max(0, limits[name] - used))}
            for name, used in self.used.items()
        }

    @property
    def usage(self) -> Usage:
        """A copy of the counts."""
        return Usage(
            documents_read=self.used["documentsRead"],
            bytes_read=self.used["bytesRead"],
            documents_written=self.used["documentsWritten"],
            bytes_written=self.used["bytesWritten"],
            index_ranges=self.used["databaseQueries"],
            indexes=tuple(self.indexes),
            full_scans=tuple(self.full_scans),
        )


def nested_limits(outer: Mapping[str, int], wanted: Mapping[str, float] | None) -> dict[str, int]:
    """The limits of a nested call: as wanted, never above those of a transaction."""
    lower = {name: limit for name, limit in (wanted or {}).items() if isinstance(limit, (int, float)) and limit >= 0}
    return {name: int(min(limit, lower.get(name, limit))) for name, limit in outer.items()}
