"""An async client of any Convex deployment, by URL: functions over HTTP and live queries over WebSocket.

It speaks the public wire protocol and knows no backend by name: what works here works on any deployment. A function
that fails raises CallFailed; a deployment that does not answer raises BackendUnavailable.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from convex_evals.backends import sync
from convex_evals.backends.failures import CallFailed
from convex_evals.backends.values import Value, decode, encode
from convex_evals.errors import BackendUnavailable
from convex_evals.types import Deployment

CALL_SECONDS = 60.0


Locate = Callable[[], Awaitable[Deployment]]
"""Gives the deployment to talk to, and may make it first: a client of a deployment that nobody uses costs nothing."""


@dataclass(frozen=True)
class Identity:
    """Who calls: nobody, the admin, or the admin in the name of a user."""

    admin: bool = False
    user: Mapping[str, str] | None = None
    """Identity attributes of the user whose part is played: issuer, subject, name, email, …"""

    def header(self, admin_key: str) -> Mapping[str, str]:
        """The Authorization header, if any."""
        if not self.admin:
            return {}
        if self.user is None:
            return {"Authorization": f"Convex {admin_key}"}
        packed = base64.b64encode(json.dumps(dict(self.user)).encode()).decode("ascii")
        return {"Authorization": f"Convex {admin_key}:{packed}"}


class Client:
    """Calls the functions of one deployment as one identity."""

    def __init__(self, http: aiohttp.ClientSession, locate: Locate, identity: Identity) -> None:
        self._http = http
        self._locate = locate
        self._identity = identity

    async def query(self, path: str, args: Mapping[str, Value] | None = None) -> Value:
        """Run the query "module:function". Raises CallFailed."""
        return await self._call("query", path, args)

    async def mutation(self, path: str, args: Mapping[str, Value] | None = None) -> Value:
        """Run the mutation "module:function". Raises CallFailed."""
        return await self._call("mutation", path, args)

    async def action(self, path: str, args: Mapping[str, Value] | None = None) -> Value:
        """Run the action "module:function". Raises CallFailed."""
        return await self._call("action", path, args)

    @asynccontextmanager
    async def subscribe(self, path: str, args: Mapping[str, Value] | None = None) -> AsyncIterator[sync.Subscription]:
        """A live query: `async with client.subscribe("mod:fn", {}) as live: await live.next()`."""
        target = await self._locate()
        connection = await sync.connect(self._http, target.url)
        try:
            if self._identity.admin:
                await connection.authenticate(target.admin_key, self._identity.user)
            yield await connection.add(path, encode(dict(args or {})))
        finally:
            await connection.close()

    async def get(self, route: str, query: Mapping[str, str], seconds: float) -> Any:
        """JSON of a GET route of the deployment, as this identity. None when it does not answer in time."""
        target = await self._locate()
        address = target.url.rstrip("/") + route
        headers = self._identity.header(target.admin_key)
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._http.get(address, params=query, headers=headers, timeout=timeout) as response:
                text = await response.text()
                if response.status != 200:
                    raise BackendUnavailable(f"GET {address}: HTTP {response.status}: {text[:500]}")
        except TimeoutError:
            return None
        except aiohttp.ClientError as error:
            raise BackendUnavailable(f"GET {address}: {type(error).__name__}: {error}") from error
        return json.loads(text)

    async def _call(self, kind: str, path: str, args: Mapping[str, Value] | None) -> Value:
        body = {"path": path, "format": "convex_encoded_json", "args": [encode(dict(args or {}))]}
        target = await self._locate()
        address = f"{target.url.rstrip('/')}/api/{kind}"
        headers = self._identity.header(target.admin_key)
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        try:
            async with self._http.post(address, json=body, headers=headers, timeout=timeout) as response:
                text = await response.text()
                status = response.status
        except TimeoutError:
            raise CallFailed(path, f"no answer within {CALL_SECONDS:g} s") from None
        except aiohttp.ClientError as error:
            raise BackendUnavailable(f"calling {path} at {address}: {type(error).__name__}: {error}") from error
        return _outcome(path, status, text)


def _outcome(path: str, status: int, text: str) -> Value:
    """The value of an answer to a function call, or CallFailed."""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise BackendUnavailable(f"calling {path}: HTTP {status}: {text[:500]}")
    if answer.get("status") == "success":
        return decode(answer.get("value"))
    if answer.get("status") == "error":
        data = decode(answer["errorData"]) if "errorData" in answer else None
        raise CallFailed(path, str(answer.get("errorMessage", "")), data, tuple(answer.get("logLines") or ()))
    if 400 <= status < 500:
        raise CallFailed(path, f"{answer.get('code')}: {answer.get('message')}")
    raise BackendUnavailable(f"calling {path}: HTTP {status}: {text[:500]}")
