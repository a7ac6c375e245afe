"""What the store refuses, as a tree.

StoreError            the text is for the developer whose function asked for something impossible
├── InvalidValue      a value that Convex cannot hold
└── LimitError        a documented limit was passed
Conflict              what the transaction read has changed since it began: begin again
"""

from __future__ import annotations


class StoreError(Exception):
    """The operation is refused; the text is what generated code sees as the message of an Error."""


class InvalidValue(StoreError):
    """Not a value that Convex supports; the text names the path."""


class LimitError(StoreError):
    """A documented limit of documents or transactions was passed."""


class Conflict(Exception):
    """Another commit, or a deploy, changed what this transaction read."""

    def __init__(self, table: str | None) -> None:
        self.table = table
        """The table whose documents changed; None when the schema did."""
        what = f'the "{table}" table' if table else "the schema"
        super().__init__(f"Documents read from or written to {what} changed while this mutation was being run.")
