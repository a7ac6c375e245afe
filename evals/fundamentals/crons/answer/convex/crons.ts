import { cronJobs } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction } from "./_generated/server";

export const emptyAction = internalAction({
  args: { scheduleDescription: v.optional(v.string()) },
  returns: v.null(),
  handler: async () => null,
});

const crons = cronJobs();

crons.interval("every second", { seconds: 1 }, internal.crons.emptyAction, {});

crons.interval("every two minutes", { minutes: 2 }, internal.crons.emptyAction, {
  scheduleDescription: "every two minutes",
});

crons.hourly("hourly", { minuteUTC: 15 }, internal.crons.emptyAction, {
  scheduleDescription: "hourly",
});

crons.daily("daily", { hourUTC: 2, minuteUTC: 30 }, internal.crons.emptyAction, {
  scheduleDescription: "daily",
});

crons.weekly("weekly", { dayOfWeek: "monday", hourUTC: 17, minuteUTC: 5 }, internal.crons.emptyAction, {
  scheduleDescription: "weekly",
});

crons.monthly("monthly", { day: 1, hourUTC: 16, minuteUTC: 0 }, internal.crons.emptyAction, {
  scheduleDescription: "monthly",
});

crons.cron("weekdays", "0 12 * * 1-5", internal.crons.emptyAction, {
  scheduleDescription: "weekdays",
});

export default crons;
