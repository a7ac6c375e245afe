"""What a query or a mutation may ask for: documents, files, scheduling, nested functions; all within one transaction.

The sandbox hands syscalls of one transaction over one at a time, so a nested function is a clean sub-transaction:
nothing of its caller runs meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convex_embedded.functions import jobs
from convex_embedded.functions.file_operations import new_file, storage_url
from convex_embedded.functions.frames import Frame, maybe, need
from convex_embedded.functions.host_shared import (
    SHARED_OPERATIONS,
    Host,
    call_args,
    due_ms,
    schedulable,
    user_table,
)
from convex_embedded.functions.jobs import STORAGE_TABLE, Effects, Job
from convex_embedded.functions.registry import check_kind
from convex_embedded.store import PageRequest, Transaction, decode, size_bytes
from convex_embedded.types import SyscallError

if TYPE_CHECKING:
    from convex_embedded.functions.engine import Engine


class TransactionHost(Host):
    """Bound to one (sub-)transaction."""

    def __init__(self, engine: Engine, frame: Frame, tx: Transaction, effects: Effects) -> None:
        super().__init__(engine, frame)
        self.tx = tx
        self.effects = effects

    @property
    def writable(self) -> bool:
        return self.frame.target.spec.kind == "mutation"

    def _must_write(self) -> None:
        if not self.writable:
            raise SyscallError("Queries can only read: this operation is only available in mutations.")

    # Documents

    async def get(self, args: Any) -> Any:
        system = bool(args.get("isSystem", False))
        document = self.tx.get(self.component, need(args, "id", str), table=maybe(args, "table", str), system=system)
        return None if document is None else document.json

    async def query_batch(self, args: Any) -> Any:
        size = max(1, need(args, "size", int))
        query, cursor = need(args, "query", dict), maybe(args, "cursor", str)
        batch = self.tx.query(self.component, query, cursor=cursor, size=size)
        return {"documents": [document.json for document in batch.documents], "cursor": batch.cursor}

    async def query_page(self, args: Any) -> Any:
        return self.tx.page(self.component, PageRequest.parse(args)).to_json()

    async def count(self, args: Any) -> Any:
        return self.tx.count(self.component, need(args, "table", str))

    async def insert(self, args: Any) -> Any:
        self._must_write()
        return {"_id": self.tx.insert(self.component, user_table(args), args.get("value"))}

    async def patch(self, args: Any) -> Any:
        self._must_write()
        self.tx.patch(self.component, need(args, "id", str), args.get("value"), table=maybe(args, "table", str))

    async def replace(self, args: Any) -> Any:
        self._must_write()
        self.tx.replace(self.component, need(args, "id", str), args.get("value"), table=maybe(args, "table", str))

    async def remove(self, args: Any) -> Any:
        self._must_write()
        self.tx.delete(self.component, need(args, "id", str), table=maybe(args, "table", str))

    async def metrics(self, args: Any) -> Any:
        return self.tx.metrics()

    # Nested functions

    async def run_udf(self, args: Any) -> Any:
        kind = "mutation" if args.get("udfType") == "mutation" else "query"
        if kind == "mutation":
            self._must_write()
        target = self.resolve(args)
        check_kind(target, "mutation" if kind == "mutation" else "query")
        frame = self.frame.nested(target, call_args(args))
        point, mark = self.tx.savepoint(maybe(args, "transactionLimits", dict)), self.effects.mark()
        execution = await self.engine.execute(frame, TransactionHost(self.engine, frame, self.tx, self.effects))
        if execution.failure is None:
            usage = self.tx.release(point)
        else:
            usage = self.tx.rollback(point)
            self.effects.rewind(mark)
        frame.entries.append(frame.trace.entry(execution.failure, usage))
        return execution.value_or_raise()

    # Scheduling

    async def schedule(self, args: Any) -> Any:
        self._must_write()
        target, job_args = self.resolve(args), call_args(args)
        schedulable(target)
        self.tx.charge("functionsScheduled", 1)
        self.tx.charge("scheduledFunctionArgsBytes", size_bytes(decode(job_args)))
        due = due_ms(args)
        with self.tx.as_system():
            document = jobs.new_document(target.path, job_args, due)
            job_id = self.tx.insert(self.component, jobs.TABLE, document)
        self.frame.trace.scheduled.append(target.path.identifier)
        sequence = self.engine.next_sequence()
        self.effects.jobs.append(
            Job(due, sequence, self.component, job_id, target.component, target.path, job_args),
        )
        return job_id

    async def cancel_job(self, args: Any) -> Any:
        self._must_write()
        jobs.cancel(self.tx, self.component, need(args, "id", str), self.engine.clock.now_ms())

    # Files

    async def storage_get_url(self, args: Any) -> Any:
        return storage_url(self.engine, self.tx, self.component, need(args, "storageId", str), self.effects)

    async def storage_get_metadata(self, args: Any) -> Any:
        storage_id = need(args, "storageId", str)
        document = self.tx.get(self.component, storage_id, table=STORAGE_TABLE, system=True)
        if document is None:
            return None
        fields = document.json
        return {
            "storageId": storage_id,
            "sha256": fields["sha256"],
            "size": fields["size"],
            "contentType": fields.get("contentType"),
        }

    async def storage_generate_upload_url(self, args: Any) -> Any:
        self._must_write()
        return self.engine.upload_url(self.component)

    async def storage_store(self, args: Any) -> Any:
        self._must_write()
        file = new_file(args)
        self.engine.files.make_room(len(file.content) + sum(len(f.content) for _, _, f in self.effects.files))
        self.tx.charge("filesWritten", 1)
        self.tx.charge("fileWriteBytes", len(file.content))
        with self.tx.as_system():
            storage_id = self.tx.insert(self.component, STORAGE_TABLE, file.metadata())
        self.effects.files.append((self.component, storage_id, file))
        return storage_id

    async def storage_delete(self, args: Any) -> Any:
        self._must_write()
        storage_id = need(args, "storageId", str)
        with self.tx.as_system():
            self.tx.delete(self.component, storage_id, table=STORAGE_TABLE)
        self.effects.dropped.append((self.component, storage_id))


TransactionHost.operations = {
    **SHARED_OPERATIONS,
    "1.0/get": TransactionHost.get,
    "queryBatch": TransactionHost.query_batch,
    "1.0/queryPage": TransactionHost.query_page,
    "1.0/count": TransactionHost.count,
    "1.0/insert": TransactionHost.insert,
    "1.0/shallowMerge": TransactionHost.patch,
    "1.0/replace": TransactionHost.replace,
    "1.0/remove": TransactionHost.remove,
    "1.0/getTransactionMetrics": TransactionHost.metrics,
    "1.0/runUdf": TransactionHost.run_udf,
    "1.0/schedule": TransactionHost.schedule,
    "1.0/cancel_job": TransactionHost.cancel_job,
    "1.0/storageGetUrl": TransactionHost.storage_get_url,
    "1.0/storageGetMetadata": TransactionHost.storage_get_metadata,
    "1.0/storageGenerateUploadUrl": TransactionHost.storage_generate_upload_url,
    "1.0/storageStore": TransactionHost.storage_store,
    "1.0/storageDelete": TransactionHost.storage_delete,
}
