"""`fetch` from generated code: through the list of admitted hosts, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from boxes import Box

from convex_embedded.sandbox import FetchFailed, FetchRequest, Proxy


class Site:
    """A real web server on the loopback interface."""

    def __init__(self, port: int, seen: list[web.BaseRequest]) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.seen = seen


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    match request.path:
        case "/echo":
            headers = {"x-method": request.method, "x-got": request.headers.get("x-sent", "")}
            return web.Response(status=201, body=await request.read(), headers=headers)
        case "/json":
            return web.json_response({"a": [1]}, headers={"Set-Cookie": "c=1"})
        case "/cookie":
            return web.Response(text=request.headers.get("cookie", "none"))
        case "/to":
            return web.Response(status=int(request.query.get("s", 302)), headers={"Location": request.query["u"]})
        case "/loop":
            return web.Response(status=302, headers={"Location": "/loop"})
        case "/big":
            return web.Response(body=b"x" * (21 * 2**20))
        case "/never":
            await asyncio.Event().wait()
        case "/empty":
            return web.Response(status=204)
    return web.Response(status=404, text="nothing here")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    seen: list[web.BaseRequest] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request)
        return await answer(request)

    server = web.Server(handle)
    runner = web.ServerRunner(server, shutdown_timeout=1)
    await runner.setup()
    tcp = web.TCPSite(runner, "127.0.0.1", 0)
    await tcp.start()
    yield Site(runner.addresses[0][1], seen)
    await runner.cleanup()


async def test_fetch_from_an_action(box: Box, site: Site) -> None:
    box.proxy.admit(f"127.0.0.1:{site.port}")
    await box.load(
        """export const go = action({ args: { u: v.string() }, handler: async (_, { u }) => {
  const headers = { "x-sent": "y" };
  const echo = await fetch(u + "/echo", { method: "POST", body: new Uint8Array([1, 2, 255]), headers });
  const json = await fetch(new URL(u + "/json"));
  const none = await fetch(u + "/empty");
  const lost = await fetch(new Request(u + "/lost"));
  return [echo.status, echo.ok, echo.headers.get("x-method"), echo.headers.get("x-got"), await echo.arrayBuffer(),
    await json.json(), json.url === u + "/json", json instanceof Response, none.status, lost.ok, await lost.text(),
    await (await fetch(u + "/cookie")).text()]; } });"""
    )
    result = await box.call("go", kind="action", args={"u": site.url})
    assert result.error is None
    assert result.value == [
        201, True, "POST", "y", {"$bytes": "AQL/"}, {"a": [1]}, True, True, 204, False, "nothing here", "none",
    ]  # fmt: skip
    assert result.fetched == tuple(site.url + path for path in ("/echo", "/json", "/empty", "/lost", "/cookie"))


async def test_what_is_not_admitted_is_refused(box: Box, site: Site) -> None:
    await box.load(
        """export const go = action({ args: { u: v.string() }, handler: async (_, { u }) => {
  try { await fetch(u); } catch (e: any) { return [e instanceof TypeError, e.message]; } } });"""
    )
    kind, message = await box.value("go", kind="action", args={"u": site.url})
    assert kind is True
    assert f"no network access to 127.0.0.1:{site.port}" in message
    assert site.seen == []


async def test_an_aborted_fetch_rejects(box: Box, site: Site) -> None:
    box.proxy.admit(f"localhost:{site.port}")
    await box.load(
        """export const go = action({ args: { u: v.string() }, handler: async (_, { u }) => {
  const stop = new AbortController(); setTimeout(() => stop.abort(), 20);
  try { await fetch(u + "/never", { signal: stop.signal }); }
  catch (e: any) { return [e.name, e instanceof Error]; } } });"""
    )
    assert await box.value("go", kind="action", args={"u": site.url}) == ["AbortError", True]


async def test_redirects_are_followed_and_checked_again(site: Site) -> None:
    proxy = Proxy([f"127.0.0.1:{site.port}"])
    response = await proxy.fetch(FetchRequest(f"{site.url}/to?u=/json"))
    assert (response.status, response.redirected, response.url) == (200, True, f"{site.url}/json")
    with pytest.raises(FetchFailed, match=r"no network access to 127\.0\.0\.1:1"):
        await proxy.fetch(FetchRequest(f"{site.url}/to?u=http://127.0.0.1:1/"))
    with pytest.raises(FetchFailed, match="too many redirects"):
        await proxy.fetch(FetchRequest(f"{site.url}/loop"))
    with pytest.raises(FetchFailed, match="redirected"):
        await proxy.fetch(FetchRequest(f"{site.url}/to?u=/json", redirect="error"))
    assert (await proxy.fetch(FetchRequest(f"{site.url}/to?u=/json", redirect="manual"))).status == 302


async def test_methods_across_redirects(site: Site) -> None:
    proxy = Proxy([f"127.0.0.1:{site.port}"])
    for status, method in ((303, "GET"), (302, "GET"), (307, "POST")):
        request = FetchRequest(f"{site.url}/to?s={status}&u=/echo", method="POST", body=b"b")
        assert dict((await proxy.fetch(request)).headers)["x-method"] == method


async def test_credentials_do_not_cross_origins(site: Site) -> None:
    proxy = Proxy([f"127.0.0.1:{site.port}"])
    headers = (("Authorization", "secret"), ("x-sent", "y"))
    await proxy.fetch(FetchRequest(f"{site.url}/to?u=http://localhost:{site.port}/echo", headers=headers))
    assert [("Authorization" in request.headers, request.headers["x-sent"]) for request in site.seen] == [
        (True, "y"),
        (False, "y"),
    ]


async def test_a_body_has_a_largest_size(site: Site) -> None:
    with pytest.raises(FetchFailed, match="larger than 20 MiB"):
        await Proxy([f"127.0.0.1:{site.port}"]).fetch(FetchRequest(f"{site.url}/big"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "data:text/plain,x", "http://", "nonsense"])
async def test_only_the_web(url: str) -> None:
    with pytest.raises(FetchFailed):
        await Proxy(["127.0.0.1"]).fetch(FetchRequest(url))


async def test_an_admitted_name_does_not_open_this_machine(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS is the outside world: here it says that an admitted name is the loopback address."""
    loop = asyncio.get_running_loop()

    async def lies(host: str, port: int, **_: object) -> list[object]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", lies)
    with pytest.raises(FetchFailed, match="this machine or its network"):
        await Proxy([f"rebound.test:{site.port}"]).fetch(FetchRequest(f"http://rebound.test:{site.port}/json"))
    assert site.seen == []
    both = Proxy([f"rebound.test:{site.port}", f"127.0.0.1:{site.port}"])
    assert (await both.fetch(FetchRequest(f"http://rebound.test:{site.port}/json"))).status == 200


@pytest.mark.parametrize("other", ["[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "127.1", "0x7f.1"])
async def test_other_spellings_of_this_machine(site: Site, other: str) -> None:
    for proxy in (Proxy(["api.example.com"]), Proxy([f"{other}:1"])):
        with pytest.raises(FetchFailed):
            await proxy.fetch(FetchRequest(f"http://{other}:{site.port}/json"))
    assert site.seen == []


async def test_nothing_stays_open(site: Site) -> None:
    proxy = Proxy([f"127.0.0.1:{site.port}"])
    await proxy.fetch(FetchRequest(f"{site.url}/json"))
    assert site.seen[0].headers.get("Connection", "").lower() == "close"


def test_what_can_be_admitted() -> None:
    for entry in ("host", "host:80", "[::1]:80", "::1", "127.0.0.1"):
        Proxy([entry])
    for entry in ("", ":80", "host:port"):
        with pytest.raises(ValueError, match=r"host|int"):
            Proxy([entry])
