"""Loopback fixtures answer, record, and close even when a client keeps its connection."""

import aiohttp
import pytest

from convex_evals.graders.loopback import Answer, Recorded, loopback


async def test_answers_by_path_and_records() -> None:
    answers: dict[str, Answer] = {
        "/a": (200, {"ok": True}),
        "/b": (503, "later", {"Retry-After": "1"}),
        "/c": (200, b"\xff"),
    }
    async with loopback(answers) as fixture, aiohttp.ClientSession() as http:
        async with http.post(f"{fixture.url}/a?x=1", json={"n": 1}, headers={"X-Key": "k"}) as response:
            assert (response.status, await response.json()) == (200, {"ok": True})
        async with http.get(f"{fixture.url}/b") as response:
            assert (response.status, await response.text(), response.headers["retry-after"]) == (503, "later", "1")
        async with http.get(f"{fixture.url}/c") as response:
            assert await response.read() == b"\xff"
        async with http.get(f"{fixture.url}/d") as response:
            assert response.status == 404
    first = fixture.requests[0]
    assert (first.method, first.path, first.query["x"], first.headers["x-key"], first.json()) == (
        "POST",
        "/a",
        "1",
        "k",
        {"n": 1},
    )
    assert [request.path for request in fixture.requests] == ["/a", "/b", "/c", "/d"]
    with pytest.raises(AssertionError, match="GET /b carried no JSON: ''"):
        fixture.requests[1].json()


async def test_a_handler_sees_the_request() -> None:
    async def double(request: Recorded) -> Answer:
        return 200, request.text * 2

    async with (
        loopback(double) as fixture,
        aiohttp.ClientSession() as http,
        http.post(f"{fixture.url}/x", data="ab") as response,
    ):
        assert await response.text() == "abab"
