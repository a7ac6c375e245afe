"""The database of one embedded deployment: documents, indexes, schemas and transactions, all in memory.

Pure Python, synchronous, no I/O; it knows nothing of functions, sessions or the wire. One `Store` a deployment holds
all component instances (namespace = component path, "" is the app). Calls interleave only between method calls:
a transaction reads the state as of its begin plus its own writes, and `commit` refuses when what it read has changed.

    store = Store(clock_ns=time.time_ns, max_bytes=128 * 2**20)
    store.push({"": schema_json, "counter": None})
        # Component path → text or parsed `defineSchema().export()`; None = no schema. All or nothing; raises
        # DeployError (also when existing documents do not fit). Transactions open at that moment raise Conflict at
        # their next step.
    store.schema_json("") -> str | None            # as `getSchemas` shows it
    store.tables("") -> tuple[str, ...]            # names with a schema or documents, no system tables, sorted
    store.table_numbers("") -> dict[str, int]      # for normalizeId without a look-up, system tables included
    store.table_of("", id) -> str | None           # the table whose number the id carries
    store.validate("", validator, value) -> str | None   # error text in the official form, None = fits
    store.last_ts_ns -> int                        # of the newest commit
    store.begin(*, trusted=False, journal=None) -> Transaction
        # trusted: may write system tables, no limits (system functions)

    with store.begin() as tx:                      # leaving the block closes it: uncommitted writes are dropped
    tx.begin_ts_ns -> int
    # In: ConvexJson (wire encoding). Out: Document(.id, .table, .value decoded, .json encoded, .size_bytes), immutable.
    tx.get(component, id, *, table=None, system=False) -> Document | None
    tx.insert(component, table, value) -> str      # the id
    tx.patch(component, id, value, *, table=None) -> None    # value may hold {"$undefined": null} at the top level
    tx.replace(component, id, value, *, table=None) -> None
    tx.delete(component, id, *, table=None) -> None
    tx.query(component, query, *, cursor=None, size=100) -> Batch
        # .documents, .cursor (None = exhausted); `query` as in 1.0/queryStream
    tx.page(component, PageRequest.parse(args)) -> Page      # args of 1.0/queryPage; Page.to_json() is its answer
    tx.journal -> str | None
        # After a page: give it to `begin` of the next run of the same live query, so that its page keeps its end.
    with tx.as_system(): …                         # the trusted side writes system tables on behalf of a function
    tx.count(component, table) -> int
    tx.vector_search(component, query) -> list[{"_id", "_score"}]    # `query` as in 1.0/actions/vectorSearch
    tx.normalize_id(component, table, text) -> str | None
    tx.newest(component, table, limit) -> list[Document]     # listTableScan; unknown table: []
    tx.clear_page(component, table, cursor=None, *, rows=4000, size_bytes=3_000_000) -> Cleared
        # .deleted, .cursor, .has_more

    point = tx.savepoint(limits=None)              # a sub-transaction begins; limits as in TransactionLimits
    tx.release(point) -> Usage                     # it ends well: what it used
    tx.rollback(point) -> Usage                    # it fails: its writes are undone (its reads still count)
    tx.charge("functionsScheduled", 1)             # and the other resources of TransactionLimits
    tx.metrics() -> dict                           # as getTransactionMetrics answers
    tx.usage -> Usage                              # .documents_read, .bytes_read, .documents_written, .bytes_written,
                                                   # .index_ranges, .indexes ("messages.by_author"), .full_scans
    tx.read_set -> ReadSet                         # .touched_by(commit.writes) -> bool; keep it for a subscription
    tx.stale -> bool                               # a commit since begin has touched the read set
    tx.commit() -> Commit                          # .ts_ns, .writes (empty for a pure read); raises Conflict; closes
    tx.close()                                     # drop; idempotent

Errors: `StoreError` (text for the developer: becomes a SyscallError), `InvalidValue(StoreError)`,
`LimitError(StoreError)` (a documented limit), `Conflict` (begin again; `.table` names what changed),
`convex_embedded.types.DeployError`.

Values (`values.py`): `decode(json) -> Value`, `encode(value) -> json`, `size_bytes(value)`, `UNDEFINED`;
int64 ↔ int, number ↔ float, bytes ↔ bytes. `decode` raises InvalidValue with the path. Order (`order.py`):
`sort_key(value) -> bytes`, `compare(a, b)`. Validators (`validators.py`): `parse(json)` for JSON from generated code
(raises InvalidValue), `check(validator, value, table_of_id)`.
"""

from convex_embedded.store.documents import Document
from convex_embedded.store.errors import Conflict, InvalidValue, LimitError, StoreError
from convex_embedded.store.limits import TRANSACTION_LIMITS, Savepoint, Usage
from convex_embedded.store.pages import Batch, Cleared, Page, PageRequest
from convex_embedded.store.reads import Commit, ReadSet, Write
from convex_embedded.store.store import Store
from convex_embedded.store.transaction import Transaction
from convex_embedded.store.values import UNDEFINED, decode, encode, size_bytes

__all__ = [
    "TRANSACTION_LIMITS",
    "UNDEFINED",
    "Batch",
    "Cleared",
    "Commit",
    "Conflict",
    "Document",
    "InvalidValue",
    "LimitError",
    "Page",
    "PageRequest",
    "ReadSet",
    "Savepoint",
    "Store",
    "StoreError",
    "Transaction",
    "Usage",
    "Write",
    "decode",
    "encode",
    "size_bytes",
]
