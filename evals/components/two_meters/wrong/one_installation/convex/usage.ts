import { v } from "convex/values";
import { components } from "./_generated/api";
import { mutation, query } from "./_generated/server";

const kind = v.union(v.literal("requests"), v.literal("uploads"));

export const record = mutation({
  args: { kind, user: v.string(), amount: v.number() },
  returns: v.number(),
  handler: async (ctx, { kind, user, amount }): Promise<number> => {
    return await ctx.runMutation(components.meter.totals.add, { kind, user, amount });
  },
});

export const totals = query({
  args: { user: v.string() },
  returns: v.object({ requests: v.number(), uploads: v.number() }),
  handler: async (ctx, { user }): Promise<{ requests: number; uploads: number }> => {
    return {
      requests: await ctx.runQuery(components.meter.totals.get, { kind: "requests", user }),
      uploads: await ctx.runQuery(components.meter.totals.get, { kind: "uploads", user }),
    };
  },
});

export const reset = mutation({
  args: { kind },
  returns: v.null(),
  handler: async (ctx, { kind }) => {
    await ctx.runMutation(components.meter.totals.clear, { kind });
    return null;
  },
});
