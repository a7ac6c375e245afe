"""The DevTools protocol over one WebSocket: commands, answers, events by session. Knows no page and no grader.

A client of our own on aiohttp (150 lines) instead of Playwright's Python package: that one brings a Node of its own
and a driver (45 MB) for the five commands that a grader needs.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

COMMAND_SECONDS = 30.0


class DevToolsError(Exception):
    """The browser refused a command, or is gone."""


class DevTools:
    """One connection to a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listeners: dict[str, Callable[[str, Mapping[str, Any]], None]] = {}
        self._reader = asyncio.create_task(self._read(), name="devtools reader")

    @property
    def alive(self) -> bool:
        """Whether the browser is still there."""
        return not self._reader.done()

    async def command(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Run a command ("Target.createTarget") in the browser or in an attached session. Raises DevToolsError."""
        number = next(self._ids)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                if not self.alive:
                    raise DevToolsError(f"{method}: the browser has ended")
                await self._socket.send_str(json.dumps(message))
                result: dict[str, Any] = await answer
        except TimeoutError:
            raise DevToolsError(f"{method}: no answer within {COMMAND_SECONDS:g} s") from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise DevToolsError(f"{method}: {type(error).__name__}: {error}") from error
        finally:
            self._answers.pop(number, None)
        if "error" in result:
            raise DevToolsError(f"{method}: {result['error'].get('message')}")
        return dict(result.get("result") or {})

    def listen(self, session: str, listener: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Call `listener(method, params)` for each event of a session."""
        self._listeners[session] = listener

    def forget(self, session: str) -> None:
        """Stop listening to a session."""
        self._listeners.pop(session, None)

    async def close(self) -> None:
        """Hang up."""
        await self._socket.close()
        await self._reader

    async def _read(self) -> None:
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            message = json.loads(frame.data)
            if "id" in message:
                answer = self._answers.get(message["id"])
                if answer is not None and not answer.done():
                    answer.set_result(message)
            elif (listener := self._listeners.get(message.get("sessionId", ""))) is not None:
                listener(message["method"], message.get("params") or {})
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(DevToolsError("the browser has ended"))
