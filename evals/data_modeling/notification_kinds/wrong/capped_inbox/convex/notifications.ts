import { v } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { mutation, query } from "./_generated/server";
import { notification } from "./schema";

export const notify = mutation({
  args: { notification },
  handler: async (ctx, args) => {
    return await ctx.db.insert("notifications", args.notification);
  },
});

export const markRead = mutation({
  args: { id: v.id("notifications"), readAt: v.number() },
  handler: async (ctx, args) => {
    await ctx.db.patch("notifications", args.id, { readAt: args.readAt });
    return null;
  },
});

function headline(doc: Doc<"notifications">): string {
  switch (doc.kind) {
    case "mention":
      return `${doc.author}: ${doc.excerpt}`;
    case "payment":
      return `${doc.cents} ${doc.currency}`;
    case "outage":
      return `${doc.severity}: ${doc.services.join(", ")}`;
  }
}

export const headlines = query({
  args: { recipient: v.string() },
  handler: async (ctx, args) => {
    const docs = await ctx.db
      .query("notifications")
      .withIndex("by_recipient", (q) => q.eq("recipient", args.recipient))
      .order("desc")
      .take(100);
    return docs.map((doc) => (doc.readAt === undefined ? "" : "(read) ") + headline(doc));
  },
});
