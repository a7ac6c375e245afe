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
      .collect();
  },
});

export const latest = query({
  args: { sensor: v.string(), count: v.number() },
  handler: async (ctx, args) => {
    const readings = await ctx.db
      .query("readings")
      .withIndex("by_sensor", (q) => q.eq("sensor", args.sensor))
      .collect();
    return readings.sort((a, b) => b.takenAt - a.takenAt).slice(0, args.count);
  },
});

export const hottest = query({
  args: { sensor: v.string(), atLeast: v.number() },
  handler: async (ctx, args) => {
    const readings = await ctx.db
      .query("readings")
      .withIndex("by_sensor", (q) => q.eq("sensor", args.sensor))
      .collect();
    const [first] = readings.sort((a, b) => b.celsius - a.celsius);
    return first !== undefined && first.celsius >= args.atLeast ? first : null;
  },
});
