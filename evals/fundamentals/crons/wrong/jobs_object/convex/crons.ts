import { cronJobs } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction } from "./_generated/server";

export const emptyAction = internalAction({
  args: { scheduleDescription: v.optional(v.string()) },
  returns: v.null(),
  handler: async () => null,
});

const run = internal.crons.emptyAction;

export default cronJobs({
  "every second": { schedule: { seconds: 1 }, function: run },
  "every two minutes": { schedule: { minutes: 2 }, function: run, args: { scheduleDescription: "every two minutes" } },
  hourly: { schedule: "15 * * * *", function: run, args: { scheduleDescription: "hourly" } },
  daily: { schedule: "30 2 * * *", function: run, args: { scheduleDescription: "daily" } },
  weekly: { schedule: "5 17 * * 1", function: run, args: { scheduleDescription: "weekly" } },
  monthly: { schedule: "0 16 1 * *", function: run, args: { scheduleDescription: "monthly" } },
  weekdays: { schedule: "0 12 * * 1-5", function: run, args: { scheduleDescription: "weekdays" } },
});
