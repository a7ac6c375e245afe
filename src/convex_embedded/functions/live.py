"""A live query: what a session subscribes to, what it read, and whether it is out of date."""

from __future__ import annotations

from convex_embedded.functions.nouns import Outcome
from convex_embedded.store import Commit, ReadSet
from convex_embedded.types import ConvexJson


class LiveQuery:
    """One subscription. `dirty` says that it has to run (again)."""

    def __init__(self, path: str, args: ConvexJson, component: str, journal: str | None) -> None:
        self.path = path
        self.args = args
        self.component = component
        self.journal = journal
        self.dirty = True
        self.crashes = 0
        """How often in a row the sandbox went down while it ran."""
        self._reads: ReadSet | None = None

    def settle(self, outcome: Outcome, reads: ReadSet | None, stale: bool) -> None:
        """It ran; `stale`: something that it read has changed meanwhile."""
        self.journal = outcome.journal or self.journal
        self.crashes = 0
        self._reads = reads
        self.dirty = self.dirty or stale

    def touch(self, commit: Commit) -> None:
        """Something was committed."""
        if not self.dirty and self._reads is not None and self._reads.touched_by(commit.writes):
            self.dirty = True
