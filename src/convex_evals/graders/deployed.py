"""One deployment as a grader sees it: clients, tables, site, specification, evidence.

Everything goes over the wire, so it works on any backend. Tables are reached through the system functions, as the
admin; nothing here knows which of the two deployments is the submission.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from convex_evals.backends.client import Client, Identity, Locate
from convex_evals.backends.evidence import CallEvidence, plain_path, read_log
from convex_evals.backends.failures import CallFailed
from convex_evals.backends.values import Int64, Value
from convex_evals.errors import BackendUnavailable
from convex_evals.types import Files

SITE_SECONDS = 30.0


@dataclass(frozen=True)
class SiteResponse:
    """Answer of the site port."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises AssertionError when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise AssertionError(f"HTTP {self.status} with a body that is no JSON: {self.text[:500]!r}") from None


@dataclass(frozen=True)
class Cron:
    """One registered cron job."""

    name: str
    path: str
    """"module:function"."""
    args: Mapping[str, Value]
    schedule: Mapping[str, Value]
    """`{"type": "interval", "seconds": 1}`, `{"type": "cron", "cronExpr": …}`, `{"type": "daily", …}`."""


@dataclass
class Evidence:
    """Calls that completed inside an `evidence()` block; filled when the block ends."""

    calls: list[CallEvidence] = field(default_factory=list)

    def of(self, path: str) -> list[CallEvidence]:
        """The calls of "module:function", oldest first. Raises AssertionError when it did not run."""
        found = [call for call in self.calls if call.path == path]
        if not found:
            raise AssertionError(f"{path} did not run; these did: {[call.path for call in self.calls]}")
        return found

    def one(self, path: str) -> CallEvidence:
        """The only call of "module:function"."""
        found = self.of(path)
        if len(found) != 1:
            raise AssertionError(f"{path} ran {len(found)} times instead of once")
        return found[0]


class Deployed:
    """The submission or the reference answer, deployed when it is first used."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        locate: Locate,
        read_files: Callable[[], Files],
        declared: MutableMapping[str, Any] | None = None,
    ) -> None:
        """`declared`: schema and functions that were already asked for, where they cannot change between gradings."""
        self._http = http
        self._declared = {} if declared is None else declared
        self._keeps_declared = declared is not None
        self._read_files = read_files
        self._touched: set[str] = set()
        self._log_cursor = "0"
        self.locate = locate
        """`await d.locate()` gives the deployment: .url, .site_url, .admin_key."""
        self.public = Client(http, locate, Identity())
        """Calls as nobody."""
        self.admin = Client(http, locate, Identity(admin=True))
        """Calls as the admin, without an identity: may call internal functions."""

    def as_user(self, subject: str = "u1", **attributes: str) -> Client:
        """Calls as a signed-in user: `d.as_user("u1", name="Ada", email="ada@example.com", issuer="https://id.example")`."""
        user = {"issuer": "https://issuer.example", "subject": subject, **attributes}
        return Client(self._http, self.locate, Identity(admin=True, user=user))

    @property
    def files(self) -> Files:
        """Path → text of the project."""
        return self._read_files()

    async def insert(self, table: str, *documents: Mapping[str, Value]) -> list[str]:
        """Insert documents in this order; gives their ids. Raises CallFailed when the schema refuses one."""
        if not documents:
            return []
        self._touched.add(table)
        await self.admin.mutation(
            "_system/frontend/addDocument", {"table": table, "documents": [dict(document) for document in documents]}
        )
        return [document["_id"] for document in await self.read(table, len(documents))]

    async def read(self, table: str, limit: int = 1000) -> list[dict[str, Value]]:
        """The newest `limit` documents of a table, oldest first; empty for a table that does not exist."""
        self._touched.add(table)
        newest_first = await self.admin.query("_system/frontend/listTableScan", {"table": table, "limit": limit})
        return list(reversed(newest_first))

    async def clear(self, *tables: str) -> None:
        """Delete all documents of these tables."""
        for table in tables:
            cursor = None
            while True:
                page = await self.admin.mutation(
                    "_system/frontend/clearTablePage", {"tableName": table, "cursor": cursor}
                )
                cursor = page["continueCursor"]
                if not page["hasMore"]:
                    break

    async def clear_all(self) -> None:
        """Delete all documents of the schema's tables and of those that were used here."""
        schema = await self.schema()
        known = {table["tableName"] for table in schema["tables"]} if schema else set()
        await self.clear(*sorted(known))
        for table in sorted(self._touched - known):
            try:
                await self.clear(table)
            except CallFailed:
                continue  # a table outside the schema that was only asked for does not exist
        self._touched.clear()

    async def site(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> SiteResponse:
        """A request to the site port, where http.ts answers. Redirects are given back, not followed."""
        address = (await self.locate()).site_url.rstrip("/") + path
        timeout = aiohttp.ClientTimeout(total=SITE_SECONDS)
        content: dict[str, Any] = {"json": json} if json is not None else {"data": body}
        try:
            async with self._http.request(
                method, address, headers=headers, timeout=timeout, allow_redirects=False, **content
            ) as response:
                return SiteResponse(response.status, response.headers, await response.read())
        except TimeoutError:
            raise AssertionError(f"{method} {path}: no answer from the site within {SITE_SECONDS:g} s") from None
        except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
            raise AssertionError(f"{method} {path}: the site's answer is no valid HTTP: {error}") from None
        except aiohttp.ClientError as error:
            raise BackendUnavailable(f"{method} {address}: {type(error).__name__}: {error}") from error

    async def function_spec(self) -> list[dict[str, Any]]:
        """All functions and HTTP routes: identifier, functionType, visibility, args, returns."""
        return list(await self._ask_declared("_system/cli/modules:apiSpec", None))

    async def schema(self) -> dict[str, Any] | None:
        """The schema: {"tables": [{tableName, indexes, documentType, …}], …}; None without one."""
        answer = await self._ask_declared("_system/frontend/getSchemas", {"componentId": None})
        active = answer.get("active")
        return dict(json.loads(active)) if active is not None else None

    async def _ask_declared(self, path: str, args: Mapping[str, Value] | None) -> Any:
        """What a deployed project declares. The reference's is asked for once for all gradings of an eval, so that
        it need not be deployed only to be compared with."""
        if path in self._declared:
            return copy.deepcopy(self._declared[path])
        value = await self.admin.query(path, args or {})
        if self._keeps_declared:
            self._declared[path] = copy.deepcopy(value)
        return value

    async def crons(self) -> list[Cron]:
        """All registered cron jobs, by name."""
        jobs = await self.admin.query("_system/frontend/listCronJobs")
        return sorted((_cron(job) for job in jobs), key=lambda cron: cron.name)

    @asynccontextmanager
    async def evidence(self) -> AsyncIterator[Evidence]:
        """Record the calls that complete inside the block: `async with d.evidence() as seen:`, read after it."""
        _, self._log_cursor = await read_log(self.admin, self._log_cursor)
        seen = Evidence()
        yield seen
        calls, self._log_cursor = await read_log(self.admin, self._log_cursor)
        seen.calls += calls


def _cron(job: Mapping[str, Any]) -> Cron:
    spec = job["cronSpec"]
    args = json.loads(spec["udfArgs"]) if spec.get("udfArgs") else []
    schedule = {key: value.value if isinstance(value, Int64) else value for key, value in spec["cronSchedule"].items()}
    return Cron(job["name"], plain_path(spec["udfPath"]), args[0] if args else {}, schedule)
