import { v } from "convex/values";
import { components } from "./_generated/api";
import { mutation, query } from "./_generated/server";

export const vote = mutation({
  args: { poll: v.string(), option: v.string() },
  returns: v.number(),
  handler: async (ctx, args): Promise<number> => {
    return await ctx.runMutation(components.ballot.counts.add, args);
  },
});

export const results = query({
  args: { poll: v.string() },
  returns: v.array(v.object({ option: v.string(), votes: v.number() })),
  handler: async (ctx, args): Promise<{ option: string; votes: number }[]> => {
    return await ctx.runQuery(components.ballot.counts.list, { poll: args.poll });
  },
});

export const voteAll = mutation({
  args: { poll: v.string(), options: v.array(v.string()) },
  returns: v.null(),
  handler: async (ctx, { poll, options }) => {
    const counted = await Promise.all(
      options.map((option) => ctx.runMutation(components.ballot.counts.add, { poll, option })),
    );
    if (counted.some((votes: number) => votes > 3)) {
      console.error("an option has too many votes");
    }
    return null;
  },
});
