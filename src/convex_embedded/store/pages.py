"""What queries answer: batches of a stream and pages of a pagination.

Also parses the arguments of 1.0/queryPage, which come from generated code. No execution here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from convex_embedded.store.documents import Document
from convex_embedded.store.errors import StoreError
from convex_embedded.store.values import Json


@dataclass(frozen=True)
class Batch:
    """A stretch of a query's results."""

    documents: tuple[Document, ...]
    cursor: str | None
    """Where to go on; None when there is nothing more."""


@dataclass(frozen=True)
class PageRequest:
    """One call of `.paginate()`."""

    query: Any
    cursor: str | None
    page_size: int
    end_cursor: str | None = None
    """Read exactly up to here, whatever the page size."""
    maximum_rows_read: int | None = None
    maximum_bytes_read: int | None = None

    @staticmethod
    def parse(args: Any) -> PageRequest:
        """From the arguments of the syscall. Raises StoreError."""
        if not isinstance(args, dict):
            raise StoreError("Malformed arguments of paginate")
        size = _whole(args.get("pageSize"), "numItems")
        if size is None:
            raise StoreError("`options.numItems` must be a number")
        return PageRequest(
            query=args.get("query"),
            cursor=_cursor(args.get("cursor"), "cursor"),
            page_size=size,
            end_cursor=_cursor(args.get("endCursor"), "endCursor"),
            maximum_rows_read=_whole(args.get("maximumRowsRead"), "maximumRowsRead"),
            maximum_bytes_read=_whole(args.get("maximumBytesRead"), "maximumBytesRead"),
        )


def _whole(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 2**31:
        raise StoreError(f"`options.{name}` must be a non-negative number. Received `{value}`.")
    return int(value)


def _cursor(value: Any, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise StoreError(f"`options.{name}` must be a string or null")
    return value


@dataclass(frozen=True)
class Page:
    """One page."""

    documents: tuple[Document, ...]
    is_done: bool
    continue_cursor: str
    split_cursor: str | None = None
    status: Literal["SplitRecommended", "SplitRequired"] | None = None

    def to_json(self) -> Json:
        """The answer of 1.0/queryPage."""
        return {
            "page": [document.json for document in self.documents],
            "isDone": self.is_done,
            "continueCursor": self.continue_cursor,
            "splitCursor": self.split_cursor,
            "pageStatus": self.status,
        }


@dataclass(frozen=True)
class Cleared:
    """What one step of clearing a table did."""

    deleted: int
    cursor: str | None
    has_more: bool
