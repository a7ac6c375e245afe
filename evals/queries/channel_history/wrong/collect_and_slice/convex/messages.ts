import { paginationOptsValidator } from "convex/server";
import { v } from "convex/values";
import { query } from "./_generated/server";

export const history = query({
  args: { channel: v.string(), paginationOpts: paginationOptsValidator },
  handler: async (ctx, args) => {
    const messages = await ctx.db
      .query("messages")
      .withIndex("by_channel_deleted_sentAt", (q) => q.eq("channel", args.channel).eq("deleted", false))
      .order("desc")
      .collect();
    const start = args.paginationOpts.cursor === null ? 0 : Number(args.paginationOpts.cursor);
    const end = start + args.paginationOpts.numItems;
    return {
      page: messages
        .slice(start, end)
        .map(({ _id, author, body, sentAt }) => ({ id: _id, author, body, sentAt })),
      isDone: end >= messages.length,
      continueCursor: String(end),
    };
  },
});
