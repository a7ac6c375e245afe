"""Function calls over HTTP: /api/query, /mutation, /action, /function, /run/…, and reads at one timestamp.

A function that fails is an answer, with status 200, as official backends give it.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from convex_embedded.functions.deployment import Deployment
from convex_embedded.functions.nouns import Call, Outcome
from convex_embedded.store import StoreError, decode
from convex_embedded.wire.messages import decode_ts, encode_ts
from convex_embedded.wire.requests import DEPLOYMENT, BadRequest, answer, identify, read_body

ENCODED = "convex_encoded_json"
_FORMATS = (ENCODED, "json", None)
Run = Callable[[Deployment, Call], Awaitable[Outcome]]


class FunctionRequest(msgspec.Struct, rename="camel"):
    """Body of a call."""

    path: str
    args: Any = None
    format: str | None = None
    ts: str | None = None
    component_path: str | None = None


class RunRequest(msgspec.Struct):
    """Body of /api/run/…"""

    args: Any = None
    format: str | None = None


def routes() -> list[web.RouteDef]:
    """All routes of this file."""
    return [
        web.post("/api/query", _handler(Deployment.query)),
        web.post("/api/mutation", _handler(Deployment.mutation)),
        web.post("/api/action", _handler(Deployment.action)),
        web.post("/api/function", _handler(Deployment.call)),
        web.post("/api/query_ts", _query_ts),
        web.post("/api/query_at_ts", _query_at_ts),
        web.post("/api/run/{path:.+}", _run_path),
    ]


def _handler(run: Run) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        body = await read_body(request, FunctionRequest)
        return await _respond(request, run, body)

    return handle


async def _run_path(request: web.Request) -> web.Response:
    body = await read_body(request, RunRequest)
    module, slash, name = request.match_info["path"].strip("/").rpartition("/")
    path = f"{module}:{name}" if slash else name
    return await _respond(request, Deployment.call, FunctionRequest(path, body.args, body.format))


async def _query_ts(request: web.Request) -> web.Response:
    return answer({"ts": encode_ts(request.app[DEPLOYMENT].hold_snapshot())})


async def _query_at_ts(request: web.Request) -> web.Response:
    body = await read_body(request, FunctionRequest)
    try:
        ts_ns = decode_ts(body.ts or "")
    except ValueError as error:
        raise BadRequest(f"Invalid timestamp: {error}") from error

    async def run(deployment: Deployment, call: Call) -> Outcome:
        outcome = await deployment.query_at(call, ts_ns)
        if outcome is None:
            raise BadRequest("The timestamp is too old, or not one that /api/query_ts gave.", code="BadTimestamp")
        return outcome

    return await _respond(request, run, body)


async def _respond(request: web.Request, run: Run, body: FunctionRequest) -> web.Response:
    if body.format not in _FORMATS:
        raise BadRequest(f"Unknown format {body.format!r}: use {ENCODED!r} or 'json'.")
    call = Call(
        path=body.path,
        args={} if body.args is None else body.args,
        identity=identify(request),
        component=body.component_path or "",
        ip=request.remote,
        user_agent=request.headers.get("User-Agent"),
    )
    outcome = await run(request.app[DEPLOYMENT], call)
    return answer(outcome_json(outcome, encoded=body.format == ENCODED))


def outcome_json(outcome: Outcome, *, encoded: bool) -> dict[str, Any]:
    """The body of an answer; empty logLines are left out."""
    show: Callable[[Any], Any] = (lambda value: value) if encoded else plain
    if outcome.failure is None:
        body = {"status": "success", "value": show(outcome.value)}
    else:
        body = {"status": "error", "errorMessage": outcome.error_text}
        if outcome.failure.has_data:
            body["errorData"] = show(outcome.failure.data)
    if outcome.log_lines:
        body["logLines"] = list(outcome.log_lines)
    return body


def plain(value: Any) -> Any:
    """Encoded JSON → JSON without tags: int64 and special numbers as text, bytes as base64 text."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and next(iter(value)).startswith("$"):
        try:
            return _plain_special(decode(value))
        except StoreError:
            return value
    return {name: plain(item) for name, item in value.items()}


def _plain_special(value: object) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, float):
        names = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
        return names.get(str(value), value)
    return str(value)
