import { v } from "convex/values";
import { mutation, query } from "./_generated/server";

export const add = mutation({
  args: { user: v.string(), amount: v.number() },
  returns: v.number(),
  handler: async (ctx, { user, amount }) => {
    const row = await ctx.db.query("totals").first();
    const users: Record<string, number> = { ...(row?.users ?? {}) };
    users[user] = (users[user] ?? 0) + amount;
    if (row) await ctx.db.patch(row._id, { users });
    else await ctx.db.insert("totals", { users });
    return users[user];
  },
});

export const get = query({
  args: { user: v.string() },
  returns: v.number(),
  handler: async (ctx, { user }) => (await ctx.db.query("totals").first())?.users[user] ?? 0,
});

export const clear = mutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const row = await ctx.db.query("totals").first();
    if (row) await ctx.db.delete(row._id);
    return null;
  },
});
