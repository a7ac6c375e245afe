import { v } from "convex/values";
import { mutation, query } from "./_generated/server";

export const add = mutation({
  args: { poll: v.string(), option: v.string() },
  returns: v.number(),
  handler: async (ctx, { poll, option }) => {
    const row = await ctx.db.query("counts").withIndex("by_poll", (q) => q.eq("poll", poll)).unique();
    const options = { ...(row?.options ?? {}) };
    options[option] = (options[option] ?? 0) + 1;
    if (row) await ctx.db.patch(row._id, { options });
    else await ctx.db.insert("counts", { poll, options });
    return options[option];
  },
});

export const list = query({
  args: { poll: v.string() },
  returns: v.array(v.object({ option: v.string(), votes: v.number() })),
  handler: async (ctx, { poll }) => {
    const row = await ctx.db.query("counts").withIndex("by_poll", (q) => q.eq("poll", poll)).unique();
    return Object.entries(row?.options ?? {})
      .map(([option, votes]) => ({ option, votes }))
      .sort((a, b) => (a.option < b.option ? -1 : 1));
  },
});
