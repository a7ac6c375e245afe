"""Reading requests and writing answers: bodies, errors, identities, CORS. What all routes of both ports share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from convex_embedded.functions.deployment import Deployment
from convex_embedded.functions.nouns import Identity
from convex_embedded.wire.auth import AuthRefused, Gatekeeper

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
DEPLOYMENT = web.AppKey("deployment", Deployment)
GATEKEEPER = web.AppKey("gatekeeper", Gatekeeper)
_PREFLIGHT_SECONDS = "86400"


def answer(value: Any, status: int = 200) -> web.Response:
    """JSON."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def refusal(status: int, code: str, message: str) -> web.Response:
    """A transport error in the form that clients expect."""
    return answer({"code": code, "message": message}, status)


class BadRequest(Exception):
    """The request is refused with a 4xx."""

    def __init__(self, message: str, *, code: str = "BadRequest", status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


async def read_body(request: web.Request, shape: type[T]) -> T:
    """The JSON body. Raises BadRequest."""
    raw = await request.read()
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise BadRequest(f"The body of the request is not as expected: {error}", code="BadJsonBody") from error


def identify(request: web.Request) -> Identity:
    """Who sent the request. Raises AuthRefused."""
    return request.app[GATEKEEPER].identify(request.headers.get("Authorization"))


def require_admin(request: web.Request) -> None:
    """Raises AuthRefused unless the admin asks."""
    if not identify(request).admin:
        raise AuthRefused("BadAdminKey", "This needs the admin key: `Authorization: Convex <admin key>`.")


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Hostile or mistaken requests get a 4xx with a code, never a traceback."""
    try:
        return await handler(request)
    except AuthRefused as error:
        return refusal(401, error.code, str(error))
    except BadRequest as error:
        return refusal(error.status, error.code, str(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return refusal(error.status, error.reason.replace(" ", ""), error.text or error.reason)


@web.middleware
async def permit_browsers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """CORS for pages of any origin; answers preflights itself."""
    preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    response = web.Response(status=204) if preflight else await handler(request)
    if not response.prepared:
        headers = response.headers
        headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
        headers["Access-Control-Expose-Headers"] = "*"
        headers["Vary"] = "Origin"
        if "Origin" in request.headers:
            headers["Access-Control-Allow-Credentials"] = "true"
        if preflight:
            headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD"
            headers["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "*")
            headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return response
