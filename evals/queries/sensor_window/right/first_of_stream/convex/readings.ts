import { v } from "convex/values";
import { Doc } from "./_generated/dataModel";
import { query } from "./_generated/server";

export const window = query({
  args: { sensor: v.string(), from: v.number(), to: v.number() },
  handler: async (ctx, { sensor, from, to }) => {
    const found: Doc<"readings">[] = [];
    const rows = ctx.db
      .query("readings")
      .withIndex("by_sensor_and_takenAt", (q) => q.eq("sensor", sensor).gte("takenAt", from).lt("takenAt", to));
    for await (const row of rows) found.push(row);
    return found;
  },
});

export const latest = query({
  args: { sensor: v.string(), count: v.number() },
  handler: async (ctx, { sensor, count }) => {
    const found: Doc<"readings">[] = [];
    if (count <= 0) return found;
    const rows = ctx.db
      .query("readings")
      .withIndex("by_sensor_and_takenAt", (q) => q.eq("sensor", sensor))
      .order("desc");
    for await (const row of rows) {
      found.push(row);
      if (found.length === count) break;
    }
    return found;
  },
});

export const hottest = query({
  args: { sensor: v.string(), atLeast: v.number() },
  handler: async (ctx, { sensor, atLeast }) => {
    const rows = ctx.db
      .query("readings")
      .withIndex("by_sensor_and_celsius", (q) => q.eq("sensor", sensor).gte("celsius", atLeast))
      .order("desc");
    for await (const row of rows) return row;
    return null;
  },
});
