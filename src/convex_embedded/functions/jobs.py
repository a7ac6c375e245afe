"""Scheduled functions: the job, its document in `_scheduled_functions`, and the states that it goes through.

pending → inProgress → success | failed;  pending | inProgress → canceled
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from convex_embedded.functions.nouns import FunctionPath
from convex_embedded.store import Transaction
from convex_embedded.types import ConvexJson, SyscallError

TABLE = "_scheduled_functions"
STORAGE_TABLE = "_storage"


@dataclass(frozen=True, order=True)
class Job:
    """One function that is to run at a time. Ordered by time, then by order of scheduling."""

    due_ms: float
    sequence: int
    table_component: str = field(compare=False)
    """The instance in whose table its document is: the one that scheduled it."""
    id: str = field(compare=False)
    component: str = field(compare=False)
    """The instance whose function runs."""
    path: FunctionPath = field(compare=False)
    args: ConvexJson = field(compare=False)


def new_document(path: FunctionPath, args: ConvexJson, due_ms: float) -> dict[str, Any]:
    """Fields of a job that waits."""
    return {"name": path.identifier, "args": [args], "scheduledTime": due_ms, "state": {"kind": "pending"}}


def state_of(tx: Transaction, component: str, job_id: str) -> str | None:
    """Kind of the job's state; None when its document is gone."""
    document = tx.get(component, job_id, table=TABLE, system=True)
    return None if document is None else str(document.json["state"]["kind"])


def ended(kind: str, now_ms: float, error: str | None = None) -> dict[str, Any]:
    """What to patch into the document of a job that is over."""
    state = {"kind": kind} if error is None else {"kind": kind, "error": error}
    return {"state": state, "completedTime": now_ms}


def cancel(tx: Transaction, component: str, job_id: str, now_ms: float) -> None:
    """Cancel a job that has not ended; one that has is left as it is. Raises SyscallError for an unknown id."""
    kind = state_of(tx, component, job_id)
    if kind is None:
        raise SyscallError(f"Scheduled function {job_id} not found")
    if kind in ("pending", "inProgress"):
        with tx.as_system():
            tx.patch(component, job_id, ended("canceled", now_ms), table=TABLE)


@dataclass
class Effects:
    """What a transaction does beside documents, applied at commit. A failed sub-transaction takes its part back."""

    jobs: list[Job] = field(default_factory=list)
    files: list[tuple[str, str, Any]] = field(default_factory=list)
    """(component, storage id, StoredFile)."""
    dropped: list[tuple[str, str]] = field(default_factory=list)

    def mark(self) -> tuple[int, int, int]:
        return len(self.jobs), len(self.files), len(self.dropped)

    def rewind(self, mark: tuple[int, int, int]) -> None:
        del self.jobs[mark[0] :], self.files[mark[1] :], self.dropped[mark[2] :]
