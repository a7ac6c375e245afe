import { paginationOptsValidator } from "convex/server";
import { v } from "convex/values";
import { query } from "./_generated/server";

export const history = query({
  args: { channel: v.string(), paginationOpts: paginationOptsValidator },
  handler: async (ctx, args) => {
    const result = await ctx.db
      .query("messages")
      .withIndex("by_channel_sentAt", (q) => q.eq("channel", args.channel))
      .order("desc")
      .paginate(args.paginationOpts);
    return {
      ...result,
      page: result.page
        .filter((message) => !message.deleted)
        .map(({ _id, author, body, sentAt }) => ({ id: _id, author, body, sentAt })),
    };
  },
});
