import { v } from "convex/values";
import { mutation, query } from "./_generated/server";

export const add = mutation({
  args: { poll: v.string(), option: v.string() },
  returns: v.number(),
  handler: async (ctx, { poll, option }) => {
    const count = await ctx.db
      .query("counts")
      .withIndex("by_poll_and_option", (q) => q.eq("poll", poll).eq("option", option))
      .unique();
    if (count === null) {
      await ctx.db.insert("counts", { poll, option, votes: 1 });
      return 1;
    }
    if (count.votes >= 3) {
      throw new Error("An option has at most 3 votes");
    }
    await ctx.db.patch("counts", count._id, { votes: count.votes + 1 });
    return count.votes + 1;
  },
});

export const list = query({
  args: { poll: v.string() },
  returns: v.array(v.object({ option: v.string(), votes: v.number() })),
  handler: async (ctx, { poll }) => {
    const counts = await ctx.db
      .query("counts")
      .withIndex("by_poll_and_option", (q) => q.eq("poll", poll))
      .collect();
    return counts.map(({ option, votes }) => ({ option, votes }));
  },
});
