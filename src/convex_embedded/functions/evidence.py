"""What each call did: read, wrote, called, scheduled, fetched. The log that graders and the CLI stream.

Written by the trusted side only: generated code can neither forge nor drop an entry.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from convex_embedded.functions.nouns import UDF_TYPES, Failure
from convex_embedded.store import Usage
from convex_embedded.types import FunctionKind

MAX_ENTRIES = 20_000
MAX_ENTRY_ITEMS = 1_000
"""Longer lists in an entry are cut: an action can fetch for ten minutes."""


@dataclass
class Trace:
    """One running call; becomes an entry when it ends."""

    identifier: str
    """ "mod.js:fn", or "GET /path" for an HTTP action."""
    component: str
    kind: FunctionKind
    request_id: str
    parent: Trace | None = None
    calls: list[str] = field(default_factory=list)
    scheduled: list[str] = field(default_factory=list)
    fetched: tuple[str, ...] = ()
    log_lines: tuple[str, ...] = ()
    started: float = field(default_factory=time.monotonic)

    def entry(self, failure: Failure | None, usage: Usage | None) -> dict[str, Any]:
        """The Completion entry; `usage` is None for what has no transaction."""
        now = time.time()
        return {
            "kind": "Completion",
            "identifier": self.identifier,
            "componentPath": self.component,
            "udfType": UDF_TYPES[self.kind],
            "requestId": self.request_id,
            "timestamp": now,
            "executionTime": time.monotonic() - self.started,
            "cachedResult": False,
            "success": {} if failure is None else None,
            "error": None if failure is None else failure.message,
            "logLines": list(self.log_lines),
            "usageStats": _usage_stats(usage),
            "evidence": {
                "indexes": sorted(usage.indexes) if usage else [],
                "fullScans": sorted(usage.full_scans) if usage else [],
                "calls": self.calls[:MAX_ENTRY_ITEMS],
                "scheduled": self.scheduled[:MAX_ENTRY_ITEMS],
                "fetched": list(self.fetched[:MAX_ENTRY_ITEMS]),
                "nested": self.parent is not None,
                "parent": self.parent.identifier if self.parent else None,
            },
        }


def _usage_stats(usage: Usage | None) -> dict[str, int]:
    return {
        "databaseReadDocuments": usage.documents_read if usage else 0,
        "databaseReadBytes": usage.bytes_read if usage else 0,
        "databaseWriteDocuments": usage.documents_written if usage else 0,
        "databaseWriteBytes": usage.bytes_written if usage else 0,
    }


class FunctionLog:
    """The newest entries of a deployment, numbered from 0 since it started."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=MAX_ENTRIES)
        self._end = 0
        self._grown = asyncio.Event()

    def append(self, entries: list[dict[str, Any]]) -> None:
        """Entries of calls that ended, innermost first."""
        if entries:
            self._entries.extend(entries)
            self._end += len(entries)
            self._grown.set()
            self._grown = asyncio.Event()

    def since(self, cursor: int) -> tuple[list[dict[str, Any]], int]:
        """Entries from `cursor` on that are still kept, and the cursor behind them."""
        first = self._end - len(self._entries)
        skip = max(0, cursor - first)
        return [entry for place, entry in enumerate(self._entries) if place >= skip], self._end

    async def wait(self, cursor: int, seconds: float) -> tuple[list[dict[str, Any]], int]:
        """As `since`, but when there is nothing yet, wait for something, at most `seconds`."""
        if cursor >= self._end and seconds > 0:
            try:
                await asyncio.wait_for(self._grown.wait(), seconds)
            except TimeoutError:
                return [], self._end
        return self.since(cursor)
