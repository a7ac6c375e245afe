import { cronJobs } from "convex/server";
import { v } from "convex/values";
import { api } from "./_generated/api";
import { action } from "./_generated/server";

export const emptyAction = action({
  args: { scheduleDescription: v.optional(v.string()) },
  returns: v.null(),
  handler: async () => null,
});

const crons = cronJobs();

crons.interval("every second", { seconds: 1 }, api.crons.emptyAction, {});

crons.interval("every two minutes", { minutes: 2 }, api.crons.emptyAction, {
  scheduleDescription: "every two minutes",
});

crons.hourly("hourly", { minuteUTC: 15 }, api.crons.emptyAction, {
  scheduleDescription: "hourly",
});

crons.daily("daily", { hourUTC: 2, minuteUTC: 30 }, api.crons.emptyAction, {
  scheduleDescription: "daily",
});

crons.weekly("weekly", { dayOfWeek: "monday", hourUTC: 17, minuteUTC: 5 }, api.crons.emptyAction, {
  scheduleDescription: "weekly",
});

crons.monthly("monthly", { day: 1, hourUTC: 16, minuteUTC: 0 }, api.crons.emptyAction, {
  scheduleDescription: "monthly",
});

crons.cron("weekdays", "0 12 * * 1-5", api.crons.emptyAction, {
  scheduleDescription: "weekdays",
});

export default crons;
