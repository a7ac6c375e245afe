"""`fetch` for generated code: the only way out of the sandbox, through a list of admitted hosts.

Names are resolved before the check and the connection goes to the address that was checked, so that a name can not be
turned towards a port of this machine that was not admitted. No cookies, no pooling, one client a request.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from convex_embedded.sandbox.nouns import FetchRequest, FetchResponse

LARGEST_BODY_BYTES = 20 * 2**20
REDIRECTS = 20
CONNECT_SECONDS = 15
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_WEB_PORTS = (80, 443)
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_NOT_FORWARDED = frozenset({"host", "connection", "content-length", "transfer-encoding", "keep-alive", "upgrade"})
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})


class FetchFailed(Exception):
    """The request was refused or failed; the text becomes that of a TypeError in generated code."""


class Proxy:
    """Who may be asked: "host:port", or "host" for the web's two ports. Nothing else."""

    def __init__(self, allow: Iterable[str] | None = ()) -> None:
        self._admitted: set[tuple[str, int]] = set()
        for entry in allow or ():
            self.admit(entry)

    def admit(self, entry: str) -> None:
        """Also while calls run. Raises ValueError for what is no host."""
        host, colon, port = entry.rpartition(":") if not entry.endswith("]") else (entry, "", "")
        if not colon or (":" in host and not host.startswith("[")):
            host, port = entry, ""
        ports = (int(port),) if port else _WEB_PORTS
        name = _canonical(host.strip("[]"))
        if not name:
            raise ValueError(f"no host in {entry!r}")
        self._admitted.update((name, one) for one in ports)

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        """Raises FetchFailed. Cancellation closes the connection."""
        try:
            return await self._follow(request)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FetchFailed(f"error sending request for url ({request.url}): {error}") from error
        except ValueError as error:
            raise FetchFailed(f"Invalid URL: '{request.url}'") from error

    async def _follow(self, request: FetchRequest) -> FetchResponse:
        url, method, body = URL(request.url), request.method, request.body
        headers = [(name, value) for name, value in request.headers if name.lower() not in _NOT_FORWARDED]
        for hop in range(REDIRECTS + 1):
            response, location = await self._once(url, method, headers, body)
            if location is None or request.redirect == "manual":
                return FetchResponse(**response, redirected=hop > 0)
            if request.redirect == "error":
                raise FetchFailed(f"error sending request for url ({request.url}): redirected to {location}")
            target = url.join(URL(location))
            if target.origin() != url.origin():
                headers = [(name, value) for name, value in headers if name.lower() not in _CREDENTIALS]
            status = response["status"]
            if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
                method, body = "GET", None
                headers = [(name, value) for name, value in headers if not name.lower().startswith("content-")]
            url = target
        raise FetchFailed(f"error sending request for url ({request.url}): too many redirects")

    async def _once(
        self, url: URL, method: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> tuple[dict[str, Any], str | None]:
        """One exchange: parts of a FetchResponse, and where it redirects to."""
        address = await self._checked(url)
        connector = aiohttp.TCPConnector(force_close=True, resolver=_Pinned(address), use_dns_cache=False)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        client = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout, auto_decompress=True
        )
        async with (
            client,
            client.request(
                method, url, headers=headers, data=body, allow_redirects=False, skip_auto_headers=("User-Agent",)
            ) as answer,
        ):
            content = await _read(answer)
            dropped = {"transfer-encoding", "connection"}
            if "Content-Encoding" in answer.headers:
                dropped |= {"content-encoding", "content-length"}
            parts = {
                "url": str(url),
                "status": answer.status,
                "status_text": answer.reason or "",
                "headers": tuple((str(k), v) for k, v in answer.headers.items() if k.lower() not in dropped),
                "body": content,
            }
            moved = answer.status in _REDIRECT_STATUSES
            return parts, answer.headers.get("Location") if moved else None

    async def _checked(self, url: URL) -> str:
        """The address to connect to. Raises FetchFailed."""
        host, port = url.host, url.port
        if url.scheme not in ("http", "https") or not host or port is None:
            raise FetchFailed(f"error sending request for url ({url}): only http and https are supported")
        name = _canonical(host)
        if (name, port) not in self._admitted:
            raise FetchFailed(
                f"error sending request for url ({url}): this sandbox has no network access to {host}:{port}"
            )
        if name in _LOOPBACK_NAMES:
            return host if host != "localhost" else "127.0.0.1"
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for *_, where in found:
            address = ipaddress.ip_address(str(where[0]).partition("%")[0])
            if address.is_global or (_canonical(str(address)), port) in self._admitted:
                return str(where[0])
        raise FetchFailed(f"error sending request for url ({url}): {host} is a name of this machine or its network")


def _canonical(host: str) -> str:
    """All names of the loopback interface are one."""
    name = host.lower().rstrip(".")
    return "localhost" if name in _LOOPBACK_NAMES else name


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_chunked(1 << 16):
        size += len(part)
        if size > LARGEST_BODY_BYTES:
            raise FetchFailed(f"error reading the response of {answer.url}: it is larger than 20 MiB")
        parts.append(part)
    return b"".join(parts)


class _Pinned(AbstractResolver):
    """Answers the address that was checked, whatever the name says by now."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        version = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        return [
            ResolveResult(
                hostname=host, host=self._address, port=port, family=version, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""
