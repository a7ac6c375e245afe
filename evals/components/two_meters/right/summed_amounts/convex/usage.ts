import { v } from "convex/values";
import { components } from "./_generated/api";
import { mutation, query, type QueryCtx } from "./_generated/server";

const meters = { requests: components.requests.totals, uploads: components.uploads.totals };
const kind = v.union(v.literal("uploads"), v.literal("requests"));

function total(ctx: QueryCtx, of: keyof typeof meters, who: string): Promise<number> {
  return ctx.runQuery(meters[of].total, { who });
}

export const totals = query({
  args: { user: v.string() },
  handler: async (ctx, { user }): Promise<{ requests: number; uploads: number }> => {
    const [requests, uploads] = await Promise.all([total(ctx, "requests", user), total(ctx, "uploads", user)]);
    return { requests, uploads };
  },
});

export const record = mutation({
  args: { kind, user: v.string(), amount: v.number() },
  handler: async (ctx, args): Promise<number> => {
    await ctx.runMutation(meters[args.kind].put, { who: args.user, amount: args.amount });
    return await total(ctx, args.kind, args.user);
  },
});

export const reset = mutation({
  args: { kind },
  handler: async (ctx, args): Promise<null> => await ctx.runMutation(meters[args.kind].forget, {}),
});
