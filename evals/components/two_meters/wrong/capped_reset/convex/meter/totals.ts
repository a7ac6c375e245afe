import { v } from "convex/values";
import { mutation, query, type QueryCtx } from "./_generated/server";

async function find(ctx: QueryCtx, user: string) {
  return await ctx.db
    .query("totals")
    .withIndex("by_user", (q) => q.eq("user", user))
    .unique();
}

export const add = mutation({
  args: { user: v.string(), amount: v.number() },
  returns: v.number(),
  handler: async (ctx, { user, amount }) => {
    const old = await find(ctx, user);
    if (old === null) {
      await ctx.db.insert("totals", { user, total: amount });
      return amount;
    }
    const total = old.total + amount;
    await ctx.db.patch("totals", old._id, { total });
    return total;
  },
});

export const get = query({
  args: { user: v.string() },
  returns: v.number(),
  handler: async (ctx, { user }) => {
    return (await find(ctx, user))?.total ?? 0;
  },
});

export const clear = mutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const totals = await ctx.db.query("totals").take(100);
    for (const total of totals) {
      await ctx.db.delete("totals", total._id);
    }
    return null;
  },
});
