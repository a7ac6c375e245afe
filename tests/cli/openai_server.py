"""A local server that speaks the OpenAI-compatible wire, streaming and not, with faults on request."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Say:
    """An answer, or a fault."""

    text: str = ""
    finish: str | None = "stop"
    status: int = 200
    error: dict[str, Any] | None = None
    raw: str | None = None
    """The body of a 200 instead of a completion."""
    cut_after: int | None = None
    """Characters after which the connection is closed."""
    headers: dict[str, str] = field(default_factory=dict)
    wait_for: threading.Event | None = None
    """Nothing is said until this is set."""


@dataclass
class OpenAIServer:
    """What was asked, and what is answered."""

    answer: Callable[[str, int], Say]
    """From the prompt and the number of requests with this prompt, counted from 1."""
    url: str = ""
    prompts: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    """Prompts whose answer was sent to its end."""


@contextmanager
def openai_server(answer: Callable[[str, int], Say]) -> Iterator[OpenAIServer]:
    """Serve on a free port of the loopback, in a thread of its own."""
    server = OpenAIServer(answer)
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        app = web.Application()

        async def complete(request: web.Request) -> web.StreamResponse:
            return await _complete(server, request)

        app.router.add_post("/v1/chat/completions", complete)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        started.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


async def _complete(server: OpenAIServer, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    prompt = body["messages"][-1]["content"]
    server.prompts.append(prompt)
    server.bodies.append(body)
    say = server.answer(prompt, server.prompts.count(prompt))
    if say.wait_for is not None:
        await asyncio.to_thread(say.wait_for.wait, 60)
    if say.status != 200 or say.error is not None:
        return web.json_response({"error": say.error or {"message": "no"}}, status=say.status, headers=say.headers)
    if say.raw is not None:
        kind = "text/event-stream" if body.get("stream") else "application/json"
        return web.Response(text=say.raw, content_type=kind)
    response = await (_stream(request, say) if body.get("stream") else _whole(say))
    if say.cut_after is None:
        server.finished.append(prompt)
    return response


async def _whole(say: Say) -> web.StreamResponse:
    message = {"role": "assistant", "content": say.text}
    choice = {"index": 0, "message": message, "finish_reason": say.finish}
    return web.json_response(_envelope("chat.completion", [choice]) | {"usage": _usage()})


async def _stream(request: web.Request, say: Say) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    sent = 0
    for start in range(0, max(1, len(say.text)), 200):
        delta = {"role": "assistant", "content": say.text[start : start + 200]}
        await _event(
            response, _envelope("chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": None}])
        )
        sent += 200
        if say.cut_after is not None and sent >= say.cut_after:
            assert request.transport is not None
            request.transport.close()
            return response
    if say.finish is not None:
        end = {"index": 0, "delta": {}, "finish_reason": say.finish}
        await _event(response, _envelope("chat.completion.chunk", [end]))
        await _event(response, _envelope("chat.completion.chunk", []) | {"usage": _usage()})
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _event(response: web.StreamResponse, data: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(data).encode() + b"\n\n")


def _envelope(kind: str, choices: list[Any]) -> dict[str, Any]:
    return {"id": "c1", "object": kind, "created": 1, "model": "tiny", "choices": choices}


def _usage() -> dict[str, Any]:
    cached = {"cached_tokens": 40}
    return {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "prompt_tokens_details": cached}
