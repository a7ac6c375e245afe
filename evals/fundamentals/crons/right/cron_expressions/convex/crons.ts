import { cronJobs } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction } from "./_generated/server";

const crons = cronJobs();
const target = internal.crons.emptyAction;

crons.interval("every second", { seconds: 1 }, target, {});
crons.cron("every two minutes", "*/2 * * * *", target, { scheduleDescription: "every two minutes" });
crons.cron("hourly", "15 * * * *", target, { scheduleDescription: "hourly" });
crons.cron("daily", "30 2 * * *", target, { scheduleDescription: "daily" });
crons.cron("weekly", "5 17 * * 1", target, { scheduleDescription: "weekly" });
crons.cron("monthly", "0 16 1 * *", target, { scheduleDescription: "monthly" });
crons.cron("weekdays", "0 12 * * MON-FRI", target, { scheduleDescription: "weekdays" });

export default crons;

export const emptyAction = internalAction({
  args: { scheduleDescription: v.optional(v.string()) },
  handler: async (_ctx, _args) => {
    return null;
  },
});
