import { v } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { mutation, query } from "./_generated/server";
import { notification } from "./schema";

export const notify = mutation({
  args: { notification },
  returns: v.id("notifications"),
  handler: async (ctx, args) => {
    return await ctx.db.insert("notifications", args.notification);
  },
});

export const markRead = mutation({
  args: { id: v.id("notifications"), readAt: v.number() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await ctx.db.patch("notifications", args.id, { readAt: args.readAt });
    return null;
  },
});

function headline(doc: Doc<"notifications">["body"]): string {
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
  returns: v.array(v.string()),
  handler: async (ctx, args) => {
    const docs = await ctx.db
      .query("notifications")
      .withIndex("by_recipient", (q) => q.eq("recipient", args.recipient))
      .order("desc")
      .collect();
    return docs.map((doc) => (doc.readAt === undefined ? "" : "(read) ") + headline(doc.body));
  },
});
