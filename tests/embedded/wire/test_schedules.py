"""Scheduled functions and cron jobs, on a clock that the tests move."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from calls import error, value
from sync_socket import sync_socket

from convex_embedded.functions.crons import parse_schedule
from convex_embedded.types import DeployError

JOBS = """
import { action, internalAction, internalMutation, mutation, query } from "./_generated/server";
import { api, internal } from "./_generated/api";
export const note = internalMutation(async (ctx, { text }) => {
  await ctx.db.insert("notes", { text, who: (await ctx.auth.getUserIdentity())?.subject ?? null });
  if (text === "bad") throw new Error("bad note");
});
export const act = internalAction(async (ctx, { text }) => {
  await ctx.runMutation(internal.jobs.note, { text: "from action " + text });
  if (text === "bad") throw new Error("bad action");
});
export const inMs = mutation(
  async (ctx, { ms, text }) => await ctx.scheduler.runAfter(ms, internal.jobs.note, { text }));
export const act0 = mutation(async (ctx, { text }) => await ctx.scheduler.runAfter(0, internal.jobs.act, { text }));
export const at = action(async (ctx, { date, text }) => await ctx.scheduler.runAt(date, internal.jobs.note, { text }));
export const cancel = mutation(async (ctx, { id }) => await ctx.scheduler.cancel(id));
export const cancelInAction = action(async (ctx, { id }) => await ctx.scheduler.cancel(id));
export const thenFail = mutation(async (ctx) => {
  await ctx.scheduler.runAfter(0, internal.jobs.note, { text: "never" });
  throw new Error("rolled back");
});
export const thenCancel = mutation(async (ctx) => {
  await ctx.scheduler.cancel(await ctx.scheduler.runAfter(0, internal.jobs.note, { text: "never" }));
});
export const missing = mutation(async (ctx) => await ctx.scheduler.runAfter(0, internal.jobs.nothing, {}));
export const aQuery = mutation(async (ctx) => await ctx.scheduler.runAfter(0, api.jobs.notes, {}));
export const notes = query(async (ctx) => (await ctx.db.query("notes").collect()).map((n) => n.text));
export const who = query(async (ctx) => (await ctx.db.query("notes").collect()).map((n) => n.who));
export const states = query(async (ctx) => (await ctx.db.system.query("_scheduled_functions").collect()).map((j) => ({
  name: j.name, kind: j.state.kind, args: j.args, error: j.state.error ?? null,
  completed: j.completedTime !== undefined })));
"""
DAY_MS = 86_400_000


async def until(dep, path, wanted):
    """Wait, through a live query, for a value."""
    async with sync_socket(dep.url) as client:
        await client.add(1, path)
        await client.value(1, wanted)


async def kinds(dep):
    return [state["kind"] for state in await value(dep, "query", "jobs:states")]


async def until_kinds(dep, wanted):
    async with asyncio.timeout(10):
        while await kinds(dep) != wanted:
            pass


async def test_the_states_of_jobs(deploy):
    dep = await deploy({"jobs.ts": JOBS})
    for path, text in (("inMs", "good"), ("inMs", "bad"), ("act0", "good"), ("act0", "bad")):
        await value(dep, "mutation", f"jobs:{path}", {"ms": 0, "text": text})
    await until_kinds(dep, ["success", "failed", "success", "failed"])
    states = await value(dep, "query", "jobs:states")
    assert [s["name"] for s in states] == ["jobs.js:note", "jobs.js:note", "jobs.js:act", "jobs.js:act"]
    assert all(s["completed"] for s in states)
    assert states[0]["args"] == [{"text": "good"}]
    assert "bad note" in states[1]["error"]
    assert "bad action" in states[3]["error"]
    assert await value(dep, "query", "jobs:notes") == ["good", "from action good", "from action bad"]
    assert set(await value(dep, "query", "jobs:who")) == {None}


async def test_what_is_rolled_back_or_canceled_never_runs(deploy):
    dep = await deploy({"jobs.ts": JOBS})
    assert "rolled back" in await error(dep, "mutation", "jobs:thenFail")
    await value(dep, "mutation", "jobs:thenCancel")
    one = await value(dep, "mutation", "jobs:inMs", {"ms": 1000, "text": "never"})
    two = await value(dep, "mutation", "jobs:inMs", {"ms": 1000, "text": "never"})
    await value(dep, "mutation", "jobs:cancel", {"id": one})
    await value(dep, "action", "jobs:cancelInAction", {"id": two})
    dep.advance(5)
    await value(dep, "mutation", "jobs:inMs", {"ms": 0, "text": "last"})
    await until(dep, "jobs:notes", ["last"])
    await until_kinds(dep, ["canceled", "canceled", "canceled", "success"])
    await value(dep, "mutation", "jobs:cancel", {"id": one})
    for bad in ("nonsense", one[:-1] + ("y" if one[-1] == "x" else "x")):
        await error(dep, "mutation", "jobs:cancel", {"id": bad})


async def test_jobs_far_in_the_future_wait_and_then_run(deploy):
    dep = await deploy({"jobs.ts": JOBS})
    now_ms = dep._deployment.engine.clock.now_ms()
    await value(dep, "action", "jobs:at", {"date": now_ms + 40 * DAY_MS, "text": "in 40 days"})
    await value(dep, "mutation", "jobs:inMs", {"ms": 30 * DAY_MS, "text": "in 30 days"})
    dep.advance(29 * 86_400)
    await value(dep, "mutation", "jobs:inMs", {"ms": 0, "text": "now"})
    await until(dep, "jobs:notes", ["now"])
    dep.advance(2 * 86_400)
    await until(dep, "jobs:notes", ["now", "in 30 days"])
    dep.advance(10 * 86_400)
    await until(dep, "jobs:notes", ["now", "in 30 days", "in 40 days"])


async def test_only_existing_mutations_and_actions_can_be_scheduled(deploy):
    dep = await deploy({"jobs.ts": JOBS})
    assert "Could not find function for 'jobs:nothing'" in await error(dep, "mutation", "jobs:missing")
    assert "only mutations and actions" in await error(dep, "mutation", "jobs:aQuery")


CRONS = """
import { cronJobs } from "convex/server";
import { internal } from "./_generated/api";
const crons = cronJobs();
crons.interval("each second", { seconds: 1 }, internal.jobs.note, { text: "tick" });
crons.cron("on the hour", "0 * * * *", internal.jobs.act, { text: "hour" });
crons.daily("daily", { hourUTC: 3, minuteUTC: 5 }, internal.jobs.note, { text: "day" });
crons.weekly("weekly", { dayOfWeek: "monday", hourUTC: 3, minuteUTC: 5 }, internal.jobs.note, { text: "week" });
crons.monthly("monthly", { day: 31, hourUTC: 3, minuteUTC: 5 }, internal.jobs.note, { text: "month" });
crons.hourly("hourly", { minuteUTC: 30 }, internal.jobs.note, { text: "half" });
export default crons;
"""


async def test_crons_fire(deploy):
    dep = await deploy({"jobs.ts": JOBS, "crons.ts": CRONS})
    await until(dep, "jobs:notes", ["tick"])
    dep.advance(1)
    await until(dep, "jobs:notes", ["tick", "tick"])
    dep.advance(3600)
    async with asyncio.timeout(10):
        while not {"from action hour", "half"} <= set(await value(dep, "query", "jobs:notes")):
            pass
    dep.advance(32 * 86_400)
    async with asyncio.timeout(10):
        while not {"day", "week"} <= set(await value(dep, "query", "jobs:notes")):
            pass


async def test_a_push_keeps_the_beat_of_crons_and_drops_the_others(deploy):
    only = CRONS[: CRONS.index("crons.cron(")] + "export default crons;"
    dep = await deploy({"jobs.ts": JOBS, "crons.ts": only})
    await until(dep, "jobs:notes", ["tick"])
    await deploy({"jobs.ts": JOBS, "crons.ts": only}, onto=dep)
    assert await value(dep, "query", "jobs:notes") == ["tick"], "the push has started the interval anew"
    await deploy({"jobs.ts": JOBS}, onto=dep)
    dep.advance(100)
    await value(dep, "mutation", "jobs:inMs", {"ms": 0, "text": "end"})
    await until(dep, "jobs:notes", ["tick", "end"])


async def test_the_list_of_crons(deploy):
    dep = await deploy({"jobs.ts": JOBS, "crons.ts": CRONS})
    await until(dep, "jobs:notes", ["tick"])
    async with asyncio.timeout(10):
        while (jobs := await value(dep, "query", "_system/frontend/listCronJobs"))[0]["lastRun"] is None:
            pass
    assert [j["name"] for j in jobs] == ["each second", "on the hour", "daily", "weekly", "monthly", "hourly"]
    schedules = [j["cronSpec"]["cronSchedule"] for j in jobs]
    assert schedules[0] == {"type": "interval", "seconds": {"$integer": "AQAAAAAAAAA="}}
    assert schedules[1] == {"type": "cron", "cronExpr": "0 * * * *"}
    assert [s["type"] for s in schedules] == ["interval", "cron", "daily", "weekly", "monthly", "hourly"]
    assert jobs[0]["cronSpec"]["udfPath"] == "jobs.js:note"
    assert jobs[0]["lastRun"]["status"]["type"] == "success"


BAD_CRONS = {
    "internal.jobs.nothing": "schedules a function that does not exist: jobs:nothing",
    "api.jobs.notes": "is a query",
}


@pytest.mark.parametrize(("reference", "message"), BAD_CRONS.items())
async def test_crons_that_cannot_work_fail_the_deploy(deploy, reference, message):
    source = f"""
import {{ cronJobs }} from "convex/server";
import {{ api, internal }} from "./_generated/api";
const crons = cronJobs();
crons.interval("x", {{ seconds: 1 }}, {reference});
export default crons;
"""
    with pytest.raises(DeployError, match=message):
        await deploy({"jobs.ts": JOBS, "crons.ts": source})


def next_times(spec, start, count):
    schedule = parse_schedule(spec, "name")
    found = []
    now_ms = start.timestamp() * 1000
    for _ in range(count):
        now_ms = schedule.next_ms(now_ms, now_ms)
        found.append(datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%m-%d %H:%M"))
    return found


START = datetime(2026, 1, 30, 23, 59, 30, tzinfo=UTC)
TIMES = [
    ({"type": "cron", "cron": "*/20 0 * * *"}, ["01-31 00:00", "01-31 00:20", "01-31 00:40", "02-01 00:00"]),
    ({"type": "cron", "cron": "0 12 * * 0"}, ["02-01 12:00", "02-08 12:00"]),
    ({"type": "daily", "hourUTC": 0, "minuteUTC": 0}, ["01-31 00:00", "02-01 00:00"]),
    ({"type": "weekly", "dayOfWeek": "sunday", "hourUTC": 1, "minuteUTC": 2}, ["02-01 01:02", "02-08 01:02"]),
    ({"type": "monthly", "day": 31, "hourUTC": 1, "minuteUTC": 2}, ["01-31 01:02", "03-31 01:02"]),
    ({"type": "hourly", "minuteUTC": 7}, ["01-31 00:07", "01-31 01:07"]),
    ({"type": "interval", "hours": 2}, ["01-31 01:59", "01-31 03:59"]),
]


@pytest.mark.parametrize(("spec", "wanted"), TIMES, ids=[str(spec) for spec, _ in TIMES])
def test_when_a_schedule_is_due(spec, wanted):
    assert next_times(spec, START, len(wanted)) == wanted


BAD = ["", "* * * *", "* * * * * *", "61 * * * *", "a b c d e", "0 0 31 2 *", "0 0 * * 8"]


@pytest.mark.parametrize("cron", BAD)
def test_cron_expressions_that_are_none(cron):
    with pytest.raises(ValueError, match=r"field|cron expression"):
        parse_schedule({"type": "cron", "cron": cron}, "name")
