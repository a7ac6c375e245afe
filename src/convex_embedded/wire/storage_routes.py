"""Uploading to and downloading from file storage. Contents never pass through generated code here."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote

from aiohttp import web

from convex_embedded.functions.files import StoredFile, check_digest
from convex_embedded.types import SyscallError
from convex_embedded.wire.requests import DEPLOYMENT, BadRequest, answer

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")
_CHUNK_BYTES = 1 << 16


def routes() -> list[web.RouteDef]:
    """All routes of this file."""
    return [
        web.post("/api/storage/upload", _upload),
        web.get("/api/storage/{key}", _download),
    ]


async def _upload(request: web.Request) -> web.Response:
    deployment = request.app[DEPLOYMENT]
    engine = deployment.engine
    component = engine.files.redeem(request.query.get("token", ""), engine.clock.now_ms())
    if component is None:
        raise BadRequest("The upload URL is unknown or has expired.", code="InvalidUploadToken", status=401)
    content = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
        content += chunk
        if len(content) > engine.files.limit_bytes:
            raise BadRequest("The file is larger than this deployment's storage.", code="FileTooLarge", status=413)
    file = StoredFile(bytes(content), request.headers.get("Content-Type"))
    _check_claim(request, file)
    try:
        storage_id = deployment.upload(component, file)
    except SyscallError as error:
        raise BadRequest(str(error), code="StorageFull", status=413) from error
    return answer({"storageId": storage_id})


def _check_claim(request: web.Request, file: StoredFile) -> None:
    for part in request.headers.get("Digest", "").split(","):
        algorithm, _, claimed = part.strip().partition("=")
        if algorithm.lower() == "sha-256" and not check_digest(file, unquote(claimed)):
            raise BadRequest("The digest of the file is not the one that was given.", code="DigestMismatch")


async def _download(request: web.Request) -> web.Response:
    file = request.app[DEPLOYMENT].engine.files.find(request.match_info["key"])
    if file is None:
        raise BadRequest("There is no such file.", code="FileNotFound", status=404)
    digest = base64.b64encode(file.digest).decode("ascii")
    headers = {
        "Digest": f"sha-256={digest}",
        "ETag": f'"{digest}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=2592000",
        # The content is whatever someone uploaded: a browser must not guess what it is.
        "X-Content-Type-Options": "nosniff",
        "Content-Type": file.content_type or "application/octet-stream",
    }
    wanted = request.headers.get("Range")
    if wanted is None:
        return web.Response(body=file.content, headers=headers)
    span = _span(wanted, len(file.content))
    if span is None:
        headers["Content-Range"] = f"bytes */{len(file.content)}"
        return web.Response(status=416, headers=headers)
    first, last = span
    headers["Content-Range"] = f"bytes {first}-{last}/{len(file.content)}"
    return web.Response(status=206, body=file.content[first : last + 1], headers=headers)


def _span(text: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a single range; None when it cannot be satisfied."""
    found = _RANGE.match(text.strip())
    if found is None or found.group(0) == "bytes=-":
        return None
    start, end = found.groups()
    if not start:
        first, last = max(0, size - int(end)), size - 1
    else:
        first, last = int(start), min(int(end), size - 1) if end else size - 1
    return (first, last) if first <= last and first < size else None
