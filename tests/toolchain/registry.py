"""A package registry on loopback: real tarballs and packuments, so that real npm installs from it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web


@dataclass
class Registry:
    """What it holds and what it was asked."""

    url: str = ""
    requests: list[str] = field(default_factory=list)
    status: int | None = None
    """Answer everything with this status instead."""
    _versions: dict[str, dict[str, tuple[dict[str, Any], bytes]]] = field(default_factory=dict)

    def add(self, name: str, version: str, files: Mapping[str, str] | None = None, **manifest: Any) -> None:
        """Publish a package."""
        described = {"name": name, "version": version, **manifest}
        tarball = _tarball({"package.json": json.dumps(described), **(files or {})})
        self._versions.setdefault(name, {})[version] = (described, tarball)

    async def _answer(self, request: web.Request) -> web.Response:
        path = unquote(request.path).strip("/")
        self.requests.append(path)
        if self.status is not None:
            return web.Response(status=self.status, text="{}")
        name, _, file = path.partition("/-/")
        if name not in self._versions:
            return web.json_response({"error": "not found"}, status=404)
        versions = self._versions[name]
        if file:
            return web.Response(body=versions[file.removesuffix(".tgz")][1])
        return web.json_response(
            {
                "name": name,
                "dist-tags": {"latest": list(versions)[-1]},
                "versions": {v: self._described(name, v) for v in versions},
            }
        )

    def _described(self, name: str, version: str) -> dict[str, Any]:
        manifest, tarball = self._versions[name][version]
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
        return {**manifest, "dist": {"tarball": f"{self.url}/{name}/-/{version}.tgz", "integrity": integrity}}


@asynccontextmanager
async def registry() -> AsyncIterator[Registry]:
    """A running registry that holds nothing yet."""
    served = Registry()
    app = web.Application()
    app.router.add_get("/{path:.*}", served._answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield served
    finally:
        await runner.cleanup()


def _tarball(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in files.items():
            info = tarfile.TarInfo(f"package/{path}")
            info.size = len(text.encode())
            info.mode = 0o644
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()
