import { v } from "convex/values";
import { mutation, query, type QueryCtx } from "./_generated/server";

async function sum(ctx: QueryCtx, who: string) {
  let total = 0;
  for await (const { amount } of ctx.db.query("amounts").withIndex("who", (q) => q.eq("who", who))) {
    total += amount;
  }
  return total;
}

export const total = query({
  args: { who: v.string() },
  returns: v.number(),
  handler: (ctx, { who }) => sum(ctx, who),
});

export const put = mutation({
  args: { who: v.string(), amount: v.number() },
  returns: v.number(),
  handler: async (ctx, args) => {
    await ctx.db.insert("amounts", args);
    return await sum(ctx, args.who);
  },
});

export const forget = mutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const all = await ctx.db.query("amounts").collect();
    await Promise.all(all.map(({ _id }) => ctx.db.delete(_id)));
    return null;
  },
});
