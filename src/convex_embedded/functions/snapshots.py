"""Reads at one earlier moment: `query_ts` holds a snapshot, `query_at_ts` reads from it. For a short time and a few."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from convex_embedded.store import Store, Transaction

KEPT_MS = 30_000.0
MAX_KEPT = 16


@dataclass
class Held:
    """One moment."""

    tx: Transaction
    expires_ms: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A transaction has one reader at a time."""


class Snapshots:
    """The moments that a deployment still remembers. All readers of one share the limits of a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: OrderedDict[int, Held] = OrderedDict()

    def hold(self, now_ms: float) -> int:
        """Remember the present; its timestamp."""
        self._prune(now_ms)
        ts_ns = self._store.last_ts_ns
        if ts_ns not in self._held:
            self._held[ts_ns] = Held(self._store.begin(), now_ms + KEPT_MS)
        self._held[ts_ns].expires_ms = now_ms + KEPT_MS
        return ts_ns

    def find(self, ts_ns: int, now_ms: float) -> Held | None:
        """None when it is forgotten."""
        self._prune(now_ms)
        return self._held.get(ts_ns)

    def clear(self) -> None:
        """Forget everything, after a deploy or at the end."""
        for held in self._held.values():
            held.tx.close()
        self._held.clear()

    def _prune(self, now_ms: float) -> None:
        for ts_ns, held in list(self._held.items()):
            if held.expires_ms < now_ms or len(self._held) > MAX_KEPT:
                held.tx.close()
                del self._held[ts_ns]
