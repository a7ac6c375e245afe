import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

const body = v.union(
  v.object({ kind: v.literal("mention"), author: v.string(), excerpt: v.string() }),
  v.object({
    kind: v.literal("payment"),
    cents: v.int64(),
    currency: v.union(v.literal("EUR"), v.literal("USD")),
  }),
  v.object({
    kind: v.literal("outage"),
    services: v.array(v.string()),
    severity: v.union(v.literal("minor"), v.literal("major")),
  }),
);

export const notification = v.object({ recipient: v.string(), body });

export default defineSchema({
  notifications: defineTable({
    recipient: v.string(),
    readAt: v.optional(v.number()),
    body,
  }).index("by_recipient", ["recipient"]),
});
