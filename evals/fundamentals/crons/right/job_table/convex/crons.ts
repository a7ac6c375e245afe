import { type Crons, cronJobs } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction } from "./_generated/server";

export const emptyAction = internalAction({
  args: { scheduleDescription: v.optional(v.string()) },
  handler: async () => null,
});

function register(crons: Crons): Crons {
  const action = internal.crons.emptyAction;
  const described = (scheduleDescription: string) => ({ scheduleDescription });
  crons.interval("every second", { seconds: 1 }, action, {});
  crons.interval("every two minutes", { seconds: 120 }, action, described("every two minutes"));
  crons.hourly("hourly", { minuteUTC: 15 }, action, described("hourly"));
  crons.daily("daily", { hourUTC: 2, minuteUTC: 30 }, action, described("daily"));
  crons.weekly("weekly", { dayOfWeek: "monday", hourUTC: 17, minuteUTC: 5 }, action, described("weekly"));
  crons.monthly("monthly", { day: 1, hourUTC: 16, minuteUTC: 0 }, action, described("monthly"));
  crons.cron("weekdays", "0 12 * * 1,2,3,4,5", action, described("weekdays"));
  return crons;
}

export default register(cronJobs());
