import { v } from "convex/values";
import { mutation, query } from "./_generated/server";

const recipient = v.string();

export const notify = mutation({
  args: v.object({
    notification: v.union(
      v.object({ recipient, kind: v.literal("mention"), author: v.string(), excerpt: v.string() }),
      v.object({
        recipient,
        kind: v.literal("payment"),
        cents: v.int64(),
        currency: v.union(v.literal("USD"), v.literal("EUR")),
      }),
      v.object({
        recipient,
        kind: v.literal("outage"),
        services: v.array(v.string()),
        severity: v.union(v.literal("major"), v.literal("minor")),
      }),
    ),
  }),
  handler: (ctx, { notification }) => ctx.db.insert("notifications", notification),
});

export const markRead = mutation({
  args: { id: v.id("notifications"), readAt: v.number() },
  handler: async (ctx, { id, readAt }) => {
    const doc = await ctx.db.get("notifications", id);
    if (doc) {
      await ctx.db.replace("notifications", id, { ...doc, readAt });
    }
    return null;
  },
});

export const headlines = query({
  args: { recipient },
  handler: async (ctx, args) => {
    const lines: string[] = [];
    const inbox = ctx.db.query("notifications").withIndex("inbox", (q) => q.eq("recipient", args.recipient));
    for await (const doc of inbox.order("desc")) {
      const mark = doc.readAt === undefined ? "" : "(read) ";
      if (doc.kind === "mention") {
        lines.push(`${mark}${doc.author}: ${doc.excerpt}`);
      } else if (doc.kind === "payment") {
        lines.push(`${mark}${doc.cents.toString()} ${doc.currency}`);
      } else {
        lines.push(`${mark}${doc.severity}: ${doc.services.join(", ")}`);
      }
    }
    return lines;
  },
});
