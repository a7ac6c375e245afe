import { v } from "convex/values";
import { mutation, query } from "./_generated/server";

const counted = v.object({ option: v.string(), votes: v.number() });

// Puts papers into the urn and tells how many there are of each of these options.
export const put = mutation({
  args: { poll: v.string(), options: v.array(v.string()) },
  returns: v.array(counted),
  handler: async (ctx, args) => {
    const known = await ctx.db
      .query("polls")
      .withIndex("name", (q) => q.eq("name", args.poll))
      .unique();
    const poll = known?._id ?? (await ctx.db.insert("polls", { name: args.poll }));
    for (const option of args.options) {
      await ctx.db.insert("papers", { poll, option });
    }
    const result = [];
    for (const option of new Set(args.options)) {
      const papers = await ctx.db
        .query("papers")
        .withIndex("poll_option", (q) => q.eq("poll", poll).eq("option", option))
        .collect();
      result.push({ option, votes: papers.length });
    }
    return result;
  },
});

export const count = query({
  args: { poll: v.string() },
  returns: v.array(counted),
  handler: async (ctx, args) => {
    const poll = await ctx.db
      .query("polls")
      .withIndex("name", (q) => q.eq("name", args.poll))
      .unique();
    const votes = new Map<string, number>();
    if (poll) {
      for await (const paper of ctx.db.query("papers").withIndex("poll_option", (q) => q.eq("poll", poll._id))) {
        votes.set(paper.option, (votes.get(paper.option) ?? 0) + 1);
      }
    }
    return [...votes].map(([option, number]) => ({ option, votes: number }));
  },
});
