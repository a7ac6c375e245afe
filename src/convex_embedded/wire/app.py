"""The two applications of a deployment: the cloud port (API, sync, storage) and the site port."""

from __future__ import annotations

from weakref import WeakSet

from aiohttp import WSCloseCode, web

from convex_embedded.functions.deployment import Deployment
from convex_embedded.wire import admin_routes, http_api, storage_routes
from convex_embedded.wire.auth import Gatekeeper
from convex_embedded.wire.messages import MAX_FRAME_BYTES
from convex_embedded.wire.requests import DEPLOYMENT, GATEKEEPER, errors_as_json, permit_browsers
from convex_embedded.wire.session import SyncSession
from convex_embedded.wire.site import serve_site

MAX_SITE_BODY_BYTES = 20 * 1024 * 1024


class _Sockets(WeakSet[web.WebSocketResponse]):
    """Sync connections that are open."""


_SOCKETS = web.AppKey("sockets", _Sockets)


def cloud_app(deployment: Deployment, gatekeeper: Gatekeeper) -> web.Application:
    """API, sync and storage."""
    app = web.Application(middlewares=[permit_browsers, errors_as_json], client_max_size=MAX_FRAME_BYTES)
    app[DEPLOYMENT], app[GATEKEEPER], app[_SOCKETS] = deployment, gatekeeper, _Sockets()
    app.add_routes([web.get("/api/sync", _sync), web.get("/api/{version}/sync", _sync)])
    app.add_routes([*http_api.routes(), *storage_routes.routes(), *admin_routes.routes()])
    app.on_shutdown.append(_hang_up)
    return app


def site_app(deployment: Deployment, gatekeeper: Gatekeeper) -> web.Application:
    """HTTP actions."""
    app = web.Application(client_max_size=MAX_SITE_BODY_BYTES)
    app[DEPLOYMENT], app[GATEKEEPER] = deployment, gatekeeper
    app.router.add_route("*", "/{path:.*}", serve_site)
    return app


async def _sync(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, timeout=5.0, compress=False)
    await socket.prepare(request)
    request.app[_SOCKETS].add(socket)
    try:
        polite = await SyncSession(request.app[DEPLOYMENT], request.app[GATEKEEPER], socket).run()
        if not polite and request.transport is not None:
            request.transport.abort()
    finally:
        request.app[_SOCKETS].discard(socket)
    return socket


async def _hang_up(app: web.Application) -> None:
    sockets = app[_SOCKETS]
    for socket in tuple(sockets):
        await socket.close(code=WSCloseCode.GOING_AWAY, message=b"The deployment is closed.")
