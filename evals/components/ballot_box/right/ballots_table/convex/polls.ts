import { ConvexError, v } from "convex/values";
import { components } from "./_generated/api";
import { mutation, query } from "./_generated/server";

const { put, count } = components.ballot.urn;

export const vote = mutation({
  args: { poll: v.string(), option: v.string() },
  handler: async (ctx, { poll, option }): Promise<number> => {
    const [counted] = await ctx.runMutation(put, { poll, options: [option] });
    return counted.votes;
  },
});

export const voteAll = mutation({
  args: { poll: v.string(), options: v.array(v.string()) },
  handler: async (ctx, args) => {
    const counted: { option: string; votes: number }[] = await ctx.runMutation(put, args);
    if (counted.some(({ votes }) => votes > 3)) {
      throw new ConvexError("too many votes");
    }
    return null;
  },
});

export const results = query({
  args: { poll: v.string() },
  handler: async (ctx, { poll }): Promise<{ option: string; votes: number }[]> => await ctx.runQuery(count, { poll }),
});
