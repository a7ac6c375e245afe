import { v } from "convex/values";
import { query } from "./_generated/server";

export const history = query({
  args: { channel: v.string(), limit: v.number(), offset: v.number() },
  handler: async (ctx, args) => {
    const messages = await ctx.db
      .query("messages")
      .withIndex("by_channel_deleted_sentAt", (q) => q.eq("channel", args.channel).eq("deleted", false))
      .order("desc")
      .take(args.offset + args.limit);
    return messages
      .slice(args.offset)
      .map(({ _id, author, body, sentAt }) => ({ id: _id, author, body, sentAt }));
  },
});
