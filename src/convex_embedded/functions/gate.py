"""Who may run mutations at the same time: several optimists, or one that has already lost a race."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Shared by `width` at most, or exclusive. First come, first served; the exclusive one does not starve."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._permits = asyncio.Semaphore(width)
        self._turnstile = asyncio.Lock()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Run beside others."""
        async with self._turnstile:
            await self._permits.acquire()
        try:
            yield
        finally:
            self._permits.release()

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Run alone."""
        taken = 0
        async with self._turnstile:
            try:
                for _ in range(self._width):
                    await self._permits.acquire()
                    taken += 1
                yield
            finally:
                for _ in range(taken):
                    self._permits.release()
