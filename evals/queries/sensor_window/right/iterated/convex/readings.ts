import { v } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { query, type QueryCtx } from "./_generated/server";

const sensor = v.string();

function byTime(ctx: QueryCtx, name: string, from: number, to: number) {
  return ctx.db
    .query("readings")
    .withIndex("time", (q) => q.eq("sensor", name).gte("takenAt", from).lt("takenAt", to));
}

export const window = query({
  args: { sensor, from: v.number(), to: v.number() },
  handler: async (ctx, { sensor: name, from, to }) => {
    const found: Doc<"readings">[] = [];
    for await (const reading of byTime(ctx, name, from, to).order("asc")) {
      found.push(reading);
    }
    return found;
  },
});

export const latest = query({
  args: { sensor, count: v.number() },
  handler: (ctx, { sensor: name, count }) => byTime(ctx, name, -Infinity, Infinity).order("desc").take(count),
});

export const hottest = query({
  args: { sensor, atLeast: v.number() },
  handler: async (ctx, args) => {
    const [reading] = await ctx.db
      .query("readings")
      .withIndex("temperature", (q) => q.eq("sensor", args.sensor).gte("celsius", args.atLeast))
      .order("desc")
      .take(1);
    return reading ?? null;
  },
});
