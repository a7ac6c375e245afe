"""The system functions that tools and graders call by path. Admin only, and past the limits of user code.

Each runs in one trusted transaction, so that a live query of one is re-run like any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any

from convex_embedded.functions.cron_runner import CronJob, CronRunner
from convex_embedded.functions.engine import Engine
from convex_embedded.functions.frames import Execution
from convex_embedded.functions.nouns import CallRefused, Failure, FunctionPath
from convex_embedded.functions.spec import function_spec
from convex_embedded.store import StoreError, Transaction, encode
from convex_embedded.types import FunctionKind

PREFIX = "_system/"


class Refused(Exception):
    """A system function says no; the caller gets a ConvexError with this text."""


@dataclass(frozen=True)
class Context:
    """What a system function works with."""

    engine: Engine
    crons: CronRunner
    tx: Transaction
    args: Mapping[str, Any]

    def need(self, name: str, kind: type | UnionType) -> Any:
        """A required argument. Raises Refused."""
        value = self.args.get(name)
        if not isinstance(value, kind):
            raise Refused(f"Argument `{name}` is missing or of the wrong type.")
        return value

    @property
    def component(self) -> str:
        """The instance that `componentId` names: its path; absent, null or empty = the app. Raises Refused."""
        component = self.args.get("componentId") or ""
        if component not in self.engine.registry.instances:
            raise Refused(f"There is no component {component!r}.")
        return str(component)


@dataclass(frozen=True)
class SystemFunction:
    """One of them."""

    kind: FunctionKind
    run: Callable[[Context], Any]


def find(path: FunctionPath) -> SystemFunction:
    """Raises CallRefused."""
    function = FUNCTIONS.get(f"{path.module.removesuffix('.js')}:{path.name}")
    if function is None:
        raise CallRefused(f"Could not find public function for '{path.shown}'.")
    return function


def execute(function: SystemFunction, context: Context) -> Execution:
    """Run one; refusals come back as failures with ConvexError data."""
    try:
        return Execution(function.run(context))
    except (Refused, StoreError) as error:
        return Execution(failure=Failure(f"Uncaught ConvexError: {error}", data=str(error), has_data=True))


def _get_schemas(context: Context) -> Any:
    text = context.engine.store.schema_json(context.component)
    return {} if text is None else {"active": text}


def _api_spec(context: Context) -> Any:
    instance = context.engine.registry.instances[context.component]
    return function_spec(instance.definition)


def _add_document(context: Context) -> Any:
    table = context.need("table", str)
    if table.startswith("_"):
        raise Refused("System tables (prefixed with `_`) are read-only.")
    for document in context.need("documents", list):
        context.tx.insert(context.component, table, document)
    return {"success": True}


def _list_table_scan(context: Context) -> Any:
    limit = context.need("limit", int | float)
    documents = context.tx.newest(context.component, context.need("table", str), max(0, int(limit)))
    return [document.json for document in documents]


def _clear_table_page(context: Context) -> Any:
    table, cursor = context.need("tableName", str), context.args.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise Refused("Argument `cursor` must be a string or null.")
    cleared = context.tx.clear_page(context.component, table, cursor)
    return {"deleted": cleared.deleted, "continueCursor": cleared.cursor or "", "hasMore": cleared.has_more}


def _list_cron_jobs(context: Context) -> Any:
    component = context.component
    return [_cron_job(job) for job in context.crons.jobs if job.component == component]


def _cron_job(job: CronJob) -> dict[str, Any]:
    module, _, name = job.spec.function.partition(":")
    udf_path = f"{module if module.endswith('.js') else module + '.js'}:{name or 'default'}"
    args = encode(json.dumps([job.args]).encode())
    spec = {"udfPath": udf_path, "udfArgs": args, "cronSchedule": dict(job.schedule.shown)}
    next_run = {"cronJobName": job.spec.name, "state": {"type": "inProgress" if job.running else "pending"}}
    return {
        "name": job.spec.name,
        "cronSpec": spec,
        "lastRun": None if job.last is None else _last_run(job, udf_path, args),
        "nextRun": {**next_run, "nextTs": encode(int(job.next_ms * 1e6))},
    }


def _last_run(job: CronJob, udf_path: str, args: Any) -> dict[str, Any]:
    assert job.last is not None, "only for a job that has run"
    last = job.last
    status: dict[str, Any] = {"type": "success", "result": {"type": "default", "value": "null"}}
    if last.failure is not None:
        status = {"type": "err", "error": last.failure.message}
    return {
        "name": job.spec.name,
        "ts": encode(int(last.ts_ms * 1e6)),
        "udfPath": udf_path,
        "udfArgs": args,
        "status": status,
        "logLines": {"logLines": list(last.log_lines), "isTruncated": False},
        "executionTime": last.seconds,
    }


FUNCTIONS: Mapping[str, SystemFunction] = {
    "_system/frontend/getSchemas:default": SystemFunction("query", _get_schemas),
    "_system/cli/modules:apiSpec": SystemFunction("query", _api_spec),
    "_system/frontend/addDocument:default": SystemFunction("mutation", _add_document),
    "_system/frontend/listTableScan:default": SystemFunction("query", _list_table_scan),
    "_system/frontend/clearTablePage:default": SystemFunction("mutation", _clear_table_page),
    "_system/frontend/listCronJobs:default": SystemFunction("query", _list_cron_jobs),
}
