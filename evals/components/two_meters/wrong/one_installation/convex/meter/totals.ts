import { v } from "convex/values";
import { mutation, query, type QueryCtx } from "./_generated/server";

async function find(ctx: QueryCtx, kind: string, user: string) {
  return await ctx.db
    .query("totals")
    .withIndex("by_kind_and_user", (q) => q.eq("kind", kind).eq("user", user))
    .unique();
}

export const add = mutation({
  args: { kind: v.string(), user: v.string(), amount: v.number() },
  returns: v.number(),
  handler: async (ctx, { kind, user, amount }) => {
    const old = await find(ctx, kind, user);
    if (old === null) {
      await ctx.db.insert("totals", { kind, user, total: amount });
      return amount;
    }
    const total = old.total + amount;
    await ctx.db.patch("totals", old._id, { total });
    return total;
  },
});

export const get = query({
  args: { kind: v.string(), user: v.string() },
  returns: v.number(),
  handler: async (ctx, { kind, user }) => {
    return (await find(ctx, kind, user))?.total ?? 0;
  },
});

export const clear = mutation({
  args: { kind: v.string() },
  returns: v.null(),
  handler: async (ctx, { kind }) => {
    for await (const total of ctx.db.query("totals").withIndex("by_kind_and_user", (q) => q.eq("kind", kind))) {
      await ctx.db.delete("totals", total._id);
    }
    return null;
  },
});
