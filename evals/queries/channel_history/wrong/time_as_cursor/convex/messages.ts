import { paginationOptsValidator } from "convex/server";
import { v } from "convex/values";
import { query } from "./_generated/server";

export const history = query({
  args: { channel: v.string(), paginationOpts: paginationOptsValidator },
  handler: async (ctx, { channel, paginationOpts }) => {
    const before = paginationOpts.cursor === null ? Infinity : Number(paginationOpts.cursor);
    const end = paginationOpts.endCursor ? Number(paginationOpts.endCursor) : null;
    const messages = ctx.db
      .query("messages")
      .withIndex("by_channel_deleted_sentAt", (q) => {
        const range = q.eq("channel", channel).eq("deleted", false);
        return end === null ? range.lt("sentAt", before) : range.gte("sentAt", end).lt("sentAt", before);
      })
      .order("desc");
    const found = end === null ? await messages.take(paginationOpts.numItems + 1) : await messages.collect();
    const page = end === null ? found.slice(0, paginationOpts.numItems) : found;
    return {
      page: page.map(({ _id, author, body, sentAt }) => ({ id: _id, author, body, sentAt })),
      isDone: end === null && found.length <= page.length,
      continueCursor: String(page.length > 0 ? page[page.length - 1].sentAt : end ?? before),
    };
  },
});
