"""Runs planned queries inside a transaction: streams in batches, and pages.

Every row that is looked at is charged to the meter and recorded in the read set, filtered out or not, also when a limit
ends the run: a live query that failed must run again when its rows change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from convex_embedded.store.documents import Document
from convex_embedded.store.indexes import paths_of
from convex_embedded.store.pages import Batch, Page, PageRequest
from convex_embedded.store.queries import (
    END,
    Plan,
    Position,
    parse_position,
    parse_progress,
    show_position,
    show_progress,
)
from convex_embedded.store.reads import ReadSet, TableKey
from convex_embedded.store.search import search_text
from convex_embedded.store.view import TableView


@dataclass(frozen=True)
class Source:
    """What a run needs of its transaction."""

    table: TableKey
    view: TableView
    reads: ReadSet
    charge: Callable[[Document], None]
    """Counts a document read; raises LimitError."""


class _Run:
    """Rows of a plan from one position on, up to another."""

    def __init__(self, plan: Plan, source: Source, start: Position, stop: Position) -> None:
        self.plan = plan
        self.source = source
        self.interval = start.rest(stop.passed(plan.interval, descending=plan.descending), descending=plan.descending)
        self.position = start
        self._entries = self._open(start, stop)

    def _open(self, start: Position, stop: Position) -> Iterator[tuple[bytes, Document]]:
        plan, source = self.plan, self.source
        if plan.text is None:
            return source.view.scan(plan.spec, self.interval, descending=plan.descending)
        index, query = plan.text
        found = search_text(source.view, index, query) if start.at != "end" else []
        return (
            (key, document)
            for key, document in found
            if (start.at == "start" or key > start.key) and (stop.at == "end" or key <= stop.key)
        )

    def next(self) -> Document | None:
        """The next row; None at the end."""
        entry = next(self._entries, None)
        if entry is None:
            self.position = END
            return None
        self.position = Position("key", entry[0])
        self.source.charge(entry[1])
        return entry[1]

    def record(self) -> None:
        """Put what was looked at into the read set."""
        plan, source = self.plan, self.source
        if plan.text is not None:
            index, query = plan.text
            source.reads.add_search(source.table, lambda document: query.matches(index, document))
        else:
            seen = self.position.passed(self.interval, descending=plan.descending)
            if seen.start != seen.end:
                source.reads.add_range(source.table, paths_of(plan.spec.key_fields), seen)


def run_batch(plan: Plan, source: Source, cursor: str | None, size: int) -> Batch:
    """Up to `size` documents; goes on where the cursor of the last batch says."""
    start, limits = parse_progress(cursor, plan)
    run = _Run(plan, source, start, END)
    documents: list[Document] = []
    try:
        while len(documents) < size and 0 not in limits:
            document = run.next()
            if document is None:
                return Batch(tuple(documents), None)
            if plan.admits(document.value, limits):
                documents.append(document)
    finally:
        run.record()
    done = 0 in limits
    return Batch(tuple(documents), None if done else show_progress(run.position, limits, plan.fingerprint))


def run_page(plan: Plan, source: Source, request: PageRequest) -> Page:
    """One page: up to the end cursor when there is one, else as many documents as asked for."""
    start = parse_position(request.cursor, plan.fingerprint)
    stop = END if request.end_cursor is None else parse_position(request.end_cursor, plan.fingerprint)
    run = _Run(plan, source, start, stop)
    limits = plan.limits
    documents: list[Document] = []
    passed: list[Position] = []
    size_bytes, cut = 0, False
    try:
        while (request.end_cursor is not None or len(documents) < request.page_size) and 0 not in limits:
            cut = _reached(request.maximum_rows_read, len(passed)) or _reached(request.maximum_bytes_read, size_bytes)
            if cut:
                break
            document = run.next()
            if document is None:
                break
            passed.append(run.position)
            size_bytes += document.size_bytes
            if plan.admits(document.value, limits):
                documents.append(document)
    finally:
        run.record()
    here = END if 0 in limits else stop if run.position == END else run.position
    split = passed[(len(passed) - 1) // 2] if len(passed) > 1 and (cut or request.end_cursor is not None) else None
    return Page(
        documents=tuple(documents),
        is_done=here == END,
        continue_cursor=show_position(here, plan.fingerprint),
        split_cursor=None if split is None else show_position(split, plan.fingerprint),
        status="SplitRequired" if cut else None,
    )


def _reached(maximum: int | None, amount: int) -> bool:
    return maximum is not None and amount >= maximum
