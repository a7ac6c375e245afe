import { v } from "convex/values";
import { internal } from "./_generated/api";
import { mutation, query } from "./_generated/server";

export const vote = mutation({
  args: { poll: v.string(), option: v.string() },
  returns: v.number(),
  handler: async (ctx, args): Promise<number> => {
    return await ctx.runMutation(internal.ballot.counts.add, args);
  },
});

export const results = query({
  args: { poll: v.string() },
  returns: v.array(v.object({ option: v.string(), votes: v.number() })),
  handler: async (ctx, args): Promise<{ option: string; votes: number }[]> => {
    return await ctx.runQuery(internal.ballot.counts.list, { poll: args.poll });
  },
});

export const voteAll = mutation({
  args: { poll: v.string(), options: v.array(v.string()) },
  returns: v.null(),
  handler: async (ctx, { poll, options }) => {
    for (const option of options) {
      const votes: number = await ctx.runMutation(internal.ballot.counts.add, { poll, option });
      if (votes > 3) {
        throw new Error(`${option} has too many votes`);
      }
    }
    return null;
  },
});
