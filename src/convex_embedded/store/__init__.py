"""The database of one embedded deployment: documents, indexes, schemas and transactions, all in memory.

Pure Python, synchronous, no I/O; it knows nothing of functions, sessions or the wire. One `Store` a deployment holds
all component instances (namespace = component path, "" is the app). Calls interleave only between method calls:
a transaction reads the state as of its begin plus its own writes, and `commit` refuses when what it read has changed.

    store = Store(clock_ns=time.time_ns)
    store.push({"": schema_json, "counter": None})      # component path → text or parsed `defineSchema().export()`; None = no schema.
                                                        #   All or nothing; raises DeployError (also when existing documents do not fit).
                                                        #   Transactions open at that moment raise Conflict at their next step.
    store.schema_json("") -> str | None                 # as `getSchemas` shows it
    store.tables("") -> tuple[str, ...]                 # names with a schema or documents, without system tables, sorted
    store.table_numbers("") -> dict[str, int]           # for normalizeId without a lookup, system tables included
    store.table_of("", id) -> str | None                # the table whose number the id carries
    store.validate("", validator_json, value) -> str | None   # error text in the official multi-line form, None = fits
    store.last_ts_ns -> int                             # of the newest commit
    store.begin(*, trusted=False) -> Transaction        # trusted: may write system tables, no limits (system functions)

    with store.begin() as tx:                           # leaving the block closes it: uncommitted writes are dropped
    tx.begin_ts_ns -> int
    # In: ConvexJson (wire encoding). Out: Document(.id, .table, .value decoded, .json encoded, .size_bytes); never change them.
    tx.get(component, id, *, table=None, system=False) -> Document | None
    tx.insert(component, table, value) -> str                                   # the id
    tx.patch(component, id, value, *, table=None) -> None                       # value may hold {"$undefined": null} at the top level
    tx.replace(component, id, value, *, table=None) -> None
    tx.delete(component, id, *, table=None) -> None
    tx.query(component, query, *, cursor=None, size=100) -> Batch               # .documents, .cursor (None = exhausted); `query` as in 1.0/queryStream
    tx.page(component, PageRequest.parse(args)) -> Page                         # args of 1.0/queryPage; Page.to_json() is its answer
    tx.count(component, table) -> int
    tx.vector_search(component, query) -> list[{"_id", "_score"}]               # `query` as in 1.0/actions/vectorSearch
    tx.normalize_id(component, table, text) -> str | None
    tx.newest(component, table, limit) -> list[Document]                        # listTableScan; unknown table: []
    tx.clear_page(component, table, cursor=None, *, rows=4000, size_bytes=3_000_000) -> Cleared   # .deleted, .cursor, .has_more

    point = tx.savepoint(limits=None)                   # a sub-transaction begins; limits: {"documentsRead": n, …} as in TransactionLimits
    tx.release(point) -> Usage                          # it ends well: what it used
    tx.rollback(point) -> Usage                         # it fails: its writes are undone (its reads still count for conflicts)
    tx.charge("functionsScheduled", 1)                  # also scheduledFunctionArgsBytes, filesWritten, fileWriteBytes, filesRead, fileReadBytes
    tx.metrics() -> dict                                # as getTransactionMetrics answers: {resource: {"used", "remaining"}}
    tx.usage -> Usage                                   # .documents_read, .bytes_read, .documents_written, .bytes_written,
                                                        #   .index_ranges, .indexes ("messages.by_author"), .full_scans ("messages")
    tx.read_set -> ReadSet                              # .touched_by(commit.writes) -> bool: drives subscriptions; keep it after the end
    tx.stale -> bool                                    # a commit since begin has touched the read set (re-run a live query)
    tx.commit() -> Commit                               # .ts_ns, .writes (a tuple, empty for a pure read); raises Conflict; closes
    tx.close()                                          # drop; idempotent

Errors: `StoreError` (text for the developer: becomes a SyscallError), `LimitError(StoreError)` (a documented limit),
`Conflict` (begin again; `.table` names what changed), `convex_embedded.types.DeployError`.

Values (`values.py`): `decode(json) -> Value`, `encode(value) -> json`, `size_bytes(value)`, `sort_key(value) -> bytes`,
`compare(a, b)`, `UNDEFINED`. int64 ↔ int, number ↔ float, bytes ↔ bytes. `decode` raises `ValueError_` = StoreError with the path.
Validators (`validators.py`): `check(validator_json, value, tables) -> str | None`, `show(validator_json) -> "v.object({…})"`.
"""
