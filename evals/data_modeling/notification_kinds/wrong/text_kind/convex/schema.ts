import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

const mention = v.object({
  recipient: v.string(),
  kind: v.string(),
  author: v.string(),
  excerpt: v.string(),
});

const payment = v.object({
  recipient: v.string(),
  kind: v.string(),
  cents: v.int64(),
  currency: v.string(),
});

const outage = v.object({
  recipient: v.string(),
  kind: v.string(),
  services: v.array(v.string()),
  severity: v.string(),
});

export const notification = v.union(mention, payment, outage);

const readAt = v.optional(v.number());

export default defineSchema({
  notifications: defineTable(
    v.union(mention.extend({ readAt }), payment.extend({ readAt }), outage.extend({ readAt })),
  ).index("by_recipient", ["recipient"]),
});
