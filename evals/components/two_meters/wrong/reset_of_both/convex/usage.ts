import { v } from "convex/values";
import { components } from "./_generated/api";
import { mutation, query } from "./_generated/server";

const kind = v.union(v.literal("requests"), v.literal("uploads"));

export const record = mutation({
  args: { kind, user: v.string(), amount: v.number() },
  returns: v.number(),
  handler: async (ctx, { kind, user, amount }): Promise<number> => {
    const meter = kind === "requests" ? components.requests : components.uploads;
    return await ctx.runMutation(meter.totals.add, { user, amount });
  },
});

export const totals = query({
  args: { user: v.string() },
  returns: v.object({ requests: v.number(), uploads: v.number() }),
  handler: async (ctx, { user }): Promise<{ requests: number; uploads: number }> => {
    return {
      requests: await ctx.runQuery(components.requests.totals.get, { user }),
      uploads: await ctx.runQuery(components.uploads.totals.get, { user }),
    };
  },
});

export const reset = mutation({
  args: { kind },
  returns: v.null(),
  handler: async (ctx, { kind }) => {
    for (const meter of [components.requests, components.uploads]) {
      await ctx.runMutation(meter.totals.clear, {});
    }
    return null;
  },
});
