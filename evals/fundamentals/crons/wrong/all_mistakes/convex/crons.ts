import { action, cronJobs } from "convex/server";
import { v } from "convex/values";

export const emptyAction = action({
  args: { scheduleDescription: v.optional(v.string()) },
  handler: async (ctx, args) => {
    return null;
  },
});

export default cronJobs({
  "every second": {
    schedule: { seconds: 1 },
    handler: async (ctx) => {
      await ctx.runAction(emptyAction, {});
    },
  },
  "every two minutes": {
    schedule: { minutes: 2 },
    handler: async (ctx) => {
      await ctx.runAction(emptyAction, { scheduleDescription: "every two minutes" });
    },
  },
  hourly: {
    schedule: "15 * * * *",
    handler: async (ctx) => {
      await ctx.runAction(emptyAction, { scheduleDescription: "hourly" });
    },
  },
  daily: {
    schedule: "30 2 * * *",
    handler: async (ctx) => {
      await ctx.runAction(emptyAction, { scheduleDescription: "daily" });
    },
  },
});
