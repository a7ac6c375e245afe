import { v } from "convex/values";
import { query } from "./_generated/server";

export const window = query({
  args: { sensor: v.string(), from: v.number(), to: v.number() },
  handler: async (ctx, args) => {
    return await ctx.db
      .query("readings")
      .withIndex("by_takenAt", (q) => q.gte("takenAt", args.from).lt("takenAt", args.to))
      .filter((q) => q.eq(q.field("sensor"), args.sensor))
      .collect();
  },
});

export const latest = query({
  args: { sensor: v.string(), count: v.number() },
  handler: async (ctx, args) => {
    return await ctx.db
      .query("readings")
      .withIndex("by_takenAt")
      .order("desc")
      .filter((q) => q.eq(q.field("sensor"), args.sensor))
      .take(args.count);
  },
});

export const hottest = query({
  args: { sensor: v.string(), atLeast: v.number() },
  handler: async (ctx, args) => {
    return await ctx.db
      .query("readings")
      .withIndex("by_celsius", (q) => q.gte("celsius", args.atLeast))
      .order("desc")
      .filter((q) => q.eq(q.field("sensor"), args.sensor))
      .first();
  },
});
