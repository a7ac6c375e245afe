import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { query, type QueryCtx } from "./_generated/server";

const item = v.object({ id: v.id("messages"), author: v.string(), body: v.string(), sentAt: v.number() });

function visible(ctx: QueryCtx, channel: string) {
  return ctx.db
    .query("messages")
    .withIndex("visible", (range) => range.eq("deleted", false).eq("channel", channel));
}

function present(message: Doc<"messages">) {
  return { id: message._id, author: message.author, body: message.body, sentAt: message.sentAt };
}

export const history = query({
  args: { paginationOpts: paginationOptsValidator, channel: v.string() },
  returns: paginationResultValidator(item),
  handler: async (ctx, { channel, paginationOpts }) => {
    const { page, ...rest } = await visible(ctx, channel).order("desc").paginate(paginationOpts);
    return { ...rest, page: page.map(present) };
  },
});
