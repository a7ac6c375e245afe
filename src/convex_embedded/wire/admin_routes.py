"""Routes for whoever holds the admin key: environment variables, the log of what calls did; and harmless ones for all.

The official CLI's /api/deploy2/* belongs in a file beside this one.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

import convex_embedded
from convex_embedded.wire.requests import DEPLOYMENT, BadRequest, answer, read_body, require_admin

DEFAULT_WAIT_SECONDS = 30.0
MAX_WAIT_SECONDS = 60.0


class Change(msgspec.Struct):
    """One environment variable; no value deletes it."""

    name: str
    value: str | None = None


class Changes(msgspec.Struct):
    """Body of /api/update_environment_variables."""

    changes: list[Change]


def routes() -> list[web.RouteDef]:
    """All routes of this file."""
    return [
        web.get("/version", _version),
        web.get("/instance_name", _instance_name),
        web.post("/api/update_environment_variables", _update_environment),
        web.get("/api/stream_function_logs", _stream_function_logs),
    ]


async def _version(request: web.Request) -> web.Response:
    return web.Response(text=f"embedded-{convex_embedded.__version__}")


async def _instance_name(request: web.Request) -> web.Response:
    return web.Response(text="embedded")


async def _update_environment(request: web.Request) -> web.Response:
    require_admin(request)
    body = await read_body(request, Changes)
    try:
        request.app[DEPLOYMENT].set_environment({change.name: change.value for change in body.changes})
    except ValueError as error:
        raise BadRequest(str(error), code="InvalidEnvironmentVariable") from error
    return answer({})


async def _stream_function_logs(request: web.Request) -> web.Response:
    require_admin(request)
    try:
        cursor = int(float(request.query.get("cursor", "0")))
        seconds = float(request.query.get("wait", DEFAULT_WAIT_SECONDS))
    except (ValueError, OverflowError) as error:
        raise BadRequest("`cursor` and `wait` must be numbers.") from error
    # `not (… > …)`: NaN waits for nothing.
    seconds = min(seconds, MAX_WAIT_SECONDS) if seconds > 0 else 0.0
    entries, new_cursor = await request.app[DEPLOYMENT].engine.log.wait(cursor, seconds)
    return answer({"entries": entries, "newCursor": new_cursor})
