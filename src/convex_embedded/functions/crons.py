"""Schedules of cron jobs: what crons.ts says → when a job is due next, and how it is shown. Pure; always UTC."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim, CronSimError

from convex_embedded.store import encode

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}


@dataclass(frozen=True)
class Schedule:
    """When a job runs: every so many seconds, or by a cron expression."""

    shown: Mapping[str, Any]
    """As listCronJobs shows it."""
    interval_seconds: int | None = None
    expression: str | None = None

    def next_ms(self, previous_ms: float | None, now_ms: float) -> float:
        """When it is due after `previous_ms` (None = it has never been), at `now_ms`. Missed times are lost."""
        if self.interval_seconds is not None:
            # An interval starts with the deploy; later runs keep its beat.
            if previous_ms is None:
                return now_ms
            step_ms = self.interval_seconds * 1000.0
            missed = max(0, int((now_ms - previous_ms) // step_ms))
            return previous_ms + step_ms * max(1, missed)
        after = datetime.fromtimestamp(max(previous_ms or 0.0, now_ms) / 1000.0, UTC)
        return next(CronSim(self.expression or "", after)).timestamp() * 1000.0


def parse_schedule(spec: Mapping[str, Any], name: str) -> Schedule:
    """`schedule` of a job in crons.ts. Raises ValueError in words for the developer."""
    kind = spec.get("type")
    if kind == "interval":
        return _interval(spec)
    if kind == "cron":
        return _cron(spec)
    # Without a minute the deployment picks one, the same each time for a name.
    minute = _whole(spec, "minuteUTC", 0, 59, zlib.crc32(name.encode()) % 60)
    shown: dict[str, Any] = {"minuteUTC": _int64(minute)}
    if kind == "hourly":
        return Schedule({"type": "hourly", **shown}, expression=f"{minute} * * * *")
    hour = _whole(spec, "hourUTC", 0, 23)
    shown["hourUTC"] = _int64(hour)
    if kind == "daily":
        return Schedule({"type": "daily", **shown}, expression=f"{minute} {hour} * * *")
    if kind == "weekly":
        if spec.get("dayOfWeek") not in DAYS:
            raise ValueError(f"{spec.get('dayOfWeek')!r} is not a day of the week")
        day = DAYS.index(spec["dayOfWeek"])
        return Schedule({"type": "weekly", "dayOfWeek": _int64(day), **shown}, expression=f"{minute} {hour} * * {day}")
    if kind == "monthly":
        day = _whole(spec, "day", 1, 31)
        return Schedule({"type": "monthly", "day": _int64(day), **shown}, expression=f"{minute} {hour} {day} * *")
    raise ValueError(f"unknown type {kind!r}")


def _interval(spec: Mapping[str, Any]) -> Schedule:
    given = [unit for unit in _UNIT_SECONDS if spec.get(unit) is not None]
    if len(given) != 1:
        raise ValueError("an interval is given in seconds, minutes or hours")
    seconds = _whole(spec, given[0], 1, 2**31) * _UNIT_SECONDS[given[0]]
    return Schedule({"type": "interval", "seconds": _int64(seconds)}, interval_seconds=seconds)


def _cron(spec: Mapping[str, Any]) -> Schedule:
    expression = spec.get("cron")
    if not isinstance(expression, str) or len(expression) > 256:
        raise ValueError("a cron expression is a string")
    # Five fields only: the library would also take seconds.
    if len(expression.split()) != 5:
        raise ValueError(f"{expression!r} does not have five fields")
    try:
        next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise ValueError(f"{expression!r} is not a cron expression ({str(error) or 'it never comes'})") from error
    return Schedule({"type": "cron", "cronExpr": expression}, expression=expression)


def _whole(spec: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    value = spec.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(f"{name} must be a whole number")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}")
    return int(value)


def _int64(value: int) -> dict[str, str]:
    encoded: dict[str, str] = encode(value)
    return encoded
