import { v } from "convex/values";
import { mutation, query, type MutationCtx } from "./_generated/server";

async function add(ctx: MutationCtx, poll: string, option: string) {
  const count = await ctx.db
    .query("counts")
    .withIndex("by_poll_and_option", (q) => q.eq("poll", poll).eq("option", option))
    .unique();
  if (count === null) {
    await ctx.db.insert("counts", { poll, option, votes: 1 });
    return 1;
  }
  await ctx.db.patch("counts", count._id, { votes: count.votes + 1 });
  return count.votes + 1;
}

export const vote = mutation({
  args: { poll: v.string(), option: v.string() },
  handler: (ctx, { poll, option }) => add(ctx, poll, option),
});

export const results = query({
  args: { poll: v.string() },
  handler: async (ctx, { poll }) => {
    const counts = await ctx.db
      .query("counts")
      .withIndex("by_poll_and_option", (q) => q.eq("poll", poll))
      .collect();
    return counts.map(({ option, votes }) => ({ option, votes }));
  },
});

export const voteAll = mutation({
  args: { poll: v.string(), options: v.array(v.string()) },
  handler: async (ctx, { poll, options }) => {
    for (const option of options) {
      if ((await add(ctx, poll, option)) > 3) {
        throw new Error(`${option} has too many votes`);
      }
    }
    return null;
  },
});
