import { v } from "convex/values";
import { query } from "./_generated/server";

export const window = query({
  args: { sensor: v.string(), from: v.number(), to: v.number() },
  handler: async (ctx, args) => {
    return await ctx.db
      .query("readings")
      .withIndex("by_sensor_and_takenAt", (q) =>
        q.eq("sensor", args.sensor).gte("takenAt", args.from).lt("takenAt", args.to),
      )
      .take(100);
  },
});

export const latest = query({
  args: { sensor: v.string(), count: v.number() },
  handler: async (ctx, args) => {
    return await ctx.db
      .query("readings")
      .withIndex("by_sensor_and_takenAt", (q) => q.eq("sensor", args.sensor))
      .order("desc")
      .take(args.count);
  },
});

export const hottest = query({
  args: { sensor: v.string(), atLeast: v.number() },
  handler: async (ctx, args) => {
    return await ctx.db
      .query("readings")
      .withIndex("by_sensor_and_celsius", (q) => q.eq("sensor", args.sensor).gte("celsius", args.atLeast))
      .order("desc")
      .first();
  },
});
