"""Recurring jobs: names, times, targets, arguments, and that they really run."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from convex_evals.graders.api import Grading, rejects, wait_until

ACTION = "crons:emptyAction"
DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(8))

# A time is ("interval", seconds) or the minutes, hours, days, months and weekdays on which the job runs.
Times = tuple[object, ...]


def calendar(
    minute: Iterable[int] = RANGES[0],
    hour: Iterable[int] = RANGES[1],
    day: Iterable[int] = RANGES[2],
    month: Iterable[int] = RANGES[3],
    weekday: Iterable[int] = RANGES[4],
) -> Times:
    """The moments that a calendar schedule names; Sunday is 0, also when written 7."""
    return (frozenset(minute), frozenset(hour), frozenset(day), frozenset(month), frozenset(d % 7 for d in weekday))


EXPECTED: Mapping[str, tuple[Times, ...]] = {
    "every second": (("interval", 1),),
    "every two minutes": (("interval", 120), calendar(minute=range(0, 60, 2)), calendar(minute=range(1, 60, 2))),
    "hourly": (calendar(minute=[15]),),
    "daily": (calendar(minute=[30], hour=[2]),),
    "weekly": (calendar(minute=[5], hour=[17], weekday=[1]),),
    "monthly": (calendar(minute=[0], hour=[16], day=[1]),),
    "weekdays": (calendar(minute=[0], hour=[12], weekday=range(1, 6)),),
}


def parse_field(text: str, allowed: range) -> set[int]:
    """The numbers that one field of a cron expression stands for."""
    found: set[int] = set()
    for part in text.lower().split(","):
        match = re.fullmatch(r"(\*|(\w+)(?:-(\w+))?)(?:/([1-9]\d*))?", part)
        assert match, f"{part!r} is no part of a cron expression"
        span, first, last, step = match.groups()
        if span == "*":
            numbers = list(allowed)
        else:
            end = number(last) if last else allowed[-1] if step else number(first)
            numbers = list(range(number(first), end + 1))
        found.update(numbers[:: int(step or 1)])
    return found


def number(text: str) -> int:
    """A number, or a weekday by its first three letters."""
    if text.isdigit():
        return int(text)
    found = [place for place, day in enumerate(DAYS) if day[:3] == text[:3]]
    assert found, f"{text!r} is neither a number nor a weekday"
    return found[0]


def times(schedule: Mapping[str, Any]) -> Times:
    """Any way to write a schedule → when the job runs."""
    at = {key: int(value) for key, value in schedule.items() if key in ("minuteUTC", "hourUTC", "day")}
    minute, hour = [at.get("minuteUTC", -1)], [at.get("hourUTC", -1)]
    match schedule["type"]:
        case "interval":
            units = {"seconds": 1, "minutes": 60, "hours": 3600}
            return ("interval", sum(int(schedule.get(unit) or 0) * size for unit, size in units.items()))
        case "hourly":
            return calendar(minute)
        case "daily":
            return calendar(minute, hour)
        case "weekly":
            weekday = schedule["dayOfWeek"]
            return calendar(minute, hour, weekday=[number(weekday) if isinstance(weekday, str) else int(weekday)])
        case "monthly":
            return calendar(minute, hour, [at["day"]])
        case _:
            expression = schedule.get("cronExpr", schedule.get("cron"))
            fields = str(expression).split()
            assert len(fields) == 5, f"a cron expression has five fields, this one is {expression!r}"
            return calendar(*(parse_field(*pair) for pair in zip(fields, RANGES, strict=True)))


async def test_clients_cannot_call_the_action(g: Grading) -> None:
    """emptyAction is an action that returns null and that clients cannot call."""
    value = await g.response.admin.action(ACTION, {})
    assert value is None, f"emptyAction returned {value!r}, not null"
    await rejects(g.response.public.action(ACTION, {}), match="Could not find public function")


async def test_the_description_is_an_optional_string(g: Grading) -> None:
    """scheduleDescription may be left out and is a string; there is no other argument."""
    for args in ({}, {"scheduleDescription": "any text"}):
        value = await g.response.admin.action(ACTION, args)
        assert value is None, f"emptyAction({args!r}) returned {value!r}, not null"
    for wrong in ({"scheduleDescription": 5}, {"scheduleDescription": None}, {"description": "text"}):
        await rejects(g.response.admin.action(ACTION, wrong), match="ArgumentValidationError")


async def test_jobs_run_at_the_named_times(g: Grading) -> None:
    """There are exactly the seven named jobs, each at its time, however it is written."""
    actual = {cron.name: cron.schedule for cron in await g.response.crons()}
    assert actual.keys() == EXPECTED.keys(), f"jobs are {sorted(actual)}, expected {sorted(EXPECTED)}"
    for name, accepted in EXPECTED.items():
        assert times(actual[name]) in accepted, f"job {name!r} is scheduled as {actual[name]!r}"


async def test_jobs_run_the_action_with_their_description(g: Grading) -> None:
    """Each job runs emptyAction; `every second` without arguments, the others with their own name."""
    crons = await g.response.crons()
    assert crons, "there are no jobs"
    for cron in crons:
        assert cron.path == ACTION, f"job {cron.name!r} runs {cron.path}, not {ACTION}"
        expected = {} if cron.name == "every second" else {"scheduleDescription": cron.name}
        assert cron.args == expected, f"job {cron.name!r} passes {cron.args!r}, expected {expected!r}"


async def test_every_second_really_runs(g: Grading) -> None:
    """The job of each second has run twice within a few seconds, and ended well."""
    assert any(cron.name == "every second" for cron in await g.response.crons()), "there is no such job"

    async def last_run() -> Any:
        jobs = await g.response.admin.query("_system/frontend/listCronJobs")
        return next((job.get("lastRun") for job in jobs if job["name"] == "every second"), None)

    first = await wait_until(last_run, seconds=4, what="the job `every second` runs")

    async def next_run() -> Any:
        run = await last_run()
        return run if run["ts"] != first["ts"] else None

    second = await wait_until(next_run, seconds=3, what="the job `every second` runs again")
    for run in (first, second):
        assert run["status"]["type"] == "success", f"the job `every second` failed: {run['status']!r}"
