"""What an action may ask for: other functions, scheduling, files, vector search; each in a transaction of its own."""

from __future__ import annotations

import base64
from typing import Any

from convex_embedded.functions import jobs
from convex_embedded.functions.file_operations import delete_file, find_file, new_file, storage_url, store_file
from convex_embedded.functions.frames import need
from convex_embedded.functions.host_shared import SHARED_OPERATIONS, Host, call_args, due_ms, schedulable
from convex_embedded.functions.jobs import STORAGE_TABLE, Job
from convex_embedded.functions.registry import check_kind


class ActionHost(Host):
    """Bound to one action or HTTP action."""

    async def run_query(self, args: Any) -> Any:
        target = self.resolve(args)
        check_kind(target, "query")
        execution = await self.engine.run_query(self.frame.nested(target, call_args(args)))
        return execution.value_or_raise()

    async def run_mutation(self, args: Any) -> Any:
        target = self.resolve(args)
        check_kind(target, "mutation")
        execution, _ = await self.engine.run_mutation(self.frame.nested(target, call_args(args)))
        return execution.value_or_raise()

    async def run_action(self, args: Any) -> Any:
        target = self.resolve(args)
        check_kind(target, "action")
        execution = await self.engine.run_action(self.frame.nested(target, call_args(args)))
        return execution.value_or_raise()

    async def schedule(self, args: Any) -> Any:
        target, job_args = self.resolve(args), call_args(args)
        schedulable(target)
        due = due_ms(args)
        with self.engine.store.begin(trusted=True) as tx:
            job_id = tx.insert(self.component, jobs.TABLE, jobs.new_document(target.path, job_args, due))
            self.engine.committed(tx.commit())
        self.frame.trace.scheduled.append(target.path.identifier)
        sequence = self.engine.next_sequence()
        self.engine.schedule([Job(due, sequence, self.component, job_id, target.component, target.path, job_args)])
        return job_id

    async def cancel_job(self, args: Any) -> Any:
        with self.engine.store.begin(trusted=True) as tx:
            jobs.cancel(tx, self.component, need(args, "id", str), self.engine.clock.now_ms())
            self.engine.committed(tx.commit())

    async def vector_search(self, args: Any) -> Any:
        with self.engine.store.begin() as tx:
            return {"results": tx.vector_search(self.component, need(args, "query", dict))}

    async def storage_get_url(self, args: Any) -> Any:
        with self.engine.store.begin() as tx:
            return storage_url(self.engine, tx, self.component, need(args, "storageId", str))

    async def storage_get_metadata(self, args: Any) -> Any:
        storage_id = need(args, "storageId", str)
        with self.engine.store.begin() as tx:
            document = tx.get(self.component, storage_id, table=STORAGE_TABLE, system=True)
            file = None if document is None else find_file(self.engine, tx, self.component, storage_id)
        return None if file is None else {"contentType": None, **file.metadata(), "storageId": storage_id}

    async def storage_generate_upload_url(self, args: Any) -> Any:
        return self.engine.upload_url(self.component)

    async def storage_store(self, args: Any) -> Any:
        return store_file(self.engine, self.component, new_file(args))

    async def storage_get(self, args: Any) -> Any:
        with self.engine.store.begin() as tx:
            file = find_file(self.engine, tx, self.component, need(args, "storageId", str))
        if file is None:
            return None
        return {"blob": base64.b64encode(file.content).decode(), "contentType": file.content_type}

    async def storage_delete(self, args: Any) -> Any:
        delete_file(self.engine, self.component, need(args, "storageId", str))


ActionHost.operations = {
    **SHARED_OPERATIONS,
    "1.0/actions/query": ActionHost.run_query,
    "1.0/actions/mutation": ActionHost.run_mutation,
    "1.0/actions/action": ActionHost.run_action,
    "1.0/actions/schedule": ActionHost.schedule,
    "1.0/actions/cancel_job": ActionHost.cancel_job,
    "1.0/actions/vectorSearch": ActionHost.vector_search,
    "1.0/storageGetUrl": ActionHost.storage_get_url,
    "1.0/storageGetMetadata": ActionHost.storage_get_metadata,
    "1.0/storageGenerateUploadUrl": ActionHost.storage_generate_upload_url,
    "1.0/storageStore": ActionHost.storage_store,
    "1.0/storageGet": ActionHost.storage_get,
    "1.0/storageDelete": ActionHost.storage_delete,
}
