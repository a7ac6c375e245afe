"""The deployment's time: the machine's clock, which tests may move forward. Nothing else here reads the time of day."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Wall-clock time plus what it was moved by."""

    def __init__(self) -> None:
        self._moved_ns = 0
        self._listeners: list[Callable[[], None]] = []

    def now_ns(self) -> int:
        """Unix nanoseconds."""
        return time.time_ns() + self._moved_ns

    def now_ms(self) -> float:
        """Unix milliseconds, whole."""
        return float(self.now_ns() // 1_000_000)

    def advance(self, seconds: float) -> None:
        """Move forward; whoever waits for a time of day looks again."""
        if seconds < 0:
            raise ValueError("time only moves forward")
        self._moved_ns += int(seconds * 1e9)
        for listener in self._listeners:
            listener()

    def on_advance(self, listener: Callable[[], None]) -> None:
        """`listener` is called after each move."""
        self._listeners.append(listener)
