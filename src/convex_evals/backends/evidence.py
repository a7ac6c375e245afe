"""What a deployment reports about the calls that ran: its function log, read as the admin.

Which calls ran, what they read and wrote, which indexes they used. A backend that leaves out the `evidence` part
(an official one does) gives empty tuples there and the numbers of `usageStats`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convex_evals.backends.client import Client

POLL_SECONDS = 2.0


@dataclass(frozen=True)
class CallEvidence:
    """One call of a function, from outside or from another function."""

    path: str
    """"module:function"."""
    kind: str
    """"query", "mutation", "action" or "httpAction"."""
    success: bool
    documents_read: int
    documents_written: int
    bytes_read: int
    indexes: tuple[str, ...] = ()
    """Indexes that were ranged over, "table.index"."""
    full_scans: tuple[str, ...] = ()
    """Tables read without an index."""
    calls: tuple[str, ...] = ()
    """Functions called through ctx.runQuery and its like, "module:function"."""
    scheduled: tuple[str, ...] = ()
    """Functions scheduled, "module:function"."""
    fetched: tuple[str, ...] = ()
    """URLs fetched."""
    log_lines: tuple[str, ...] = ()
    nested: bool = False
    """Called by another function."""
    component: str = ""
    """Path of the component instance, empty for the app."""


def plain_path(identifier: str) -> str:
    """ "dir/mod.js:fn" as graders write it: "dir/mod:fn"; no colon means the default export. "GET /path" stays."""
    if " /" in identifier:
        return identifier
    module, _, function = identifier.partition(":")
    return f"{module.removesuffix('.js')}:{function or 'default'}"


async def read_log(admin: Client, cursor: str) -> tuple[list[CallEvidence], str]:
    """Calls completed since the cursor ("0": from the beginning) and the cursor behind them."""
    found: list[CallEvidence] = []
    while True:
        # wait=0: an embedded deployment answers at once; others ignore it and are given up after a moment.
        answer = await admin.get("/api/stream_function_logs", {"cursor": cursor, "wait": "0"}, POLL_SECONDS)
        if answer is None or not answer.get("entries"):
            return found, cursor
        found += [parse(entry) for entry in answer["entries"] if entry.get("kind") == "Completion"]
        cursor = str(answer["newCursor"])


def parse(entry: Mapping[str, Any]) -> CallEvidence:
    """One Completion entry of the function log."""
    usage = entry.get("usageStats") or {}
    seen = entry.get("evidence") or {}
    kind = str(entry.get("udfType", ""))
    return CallEvidence(
        path=plain_path(str(entry.get("identifier", ""))),
        kind=kind[:1].lower() + kind[1:],
        success=entry.get("error") is None,
        documents_read=int(usage.get("databaseReadDocuments", 0)),
        documents_written=int(usage.get("databaseWriteDocuments", 0)),
        bytes_read=int(usage.get("databaseReadBytes", 0)),
        indexes=tuple(seen.get("indexes", ())),
        full_scans=tuple(seen.get("fullScans", ())),
        calls=tuple(plain_path(path) for path in seen.get("calls", ())),
        scheduled=tuple(plain_path(path) for path in seen.get("scheduled", ())),
        fetched=tuple(seen.get("fetched", ())),
        log_lines=tuple(_line(line) for line in entry.get("logLines", ())),
        nested=bool(seen.get("nested", False)),
        component=str(entry.get("componentPath") or ""),
    )


def _line(line: Any) -> str:
    """A log line is text, or on newer backends an object with its parts."""
    if isinstance(line, Mapping):
        return f"[{line.get('level', 'LOG')}] {' '.join(str(part) for part in line.get('messages', ()))}"
    return str(line)
