import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

const fields = {
  recipient: v.string(),
  kind: v.union(v.literal("mention"), v.literal("payment"), v.literal("outage")),
  author: v.optional(v.string()),
  excerpt: v.optional(v.string()),
  cents: v.optional(v.int64()),
  currency: v.optional(v.union(v.literal("EUR"), v.literal("USD"))),
  services: v.optional(v.array(v.string())),
  severity: v.optional(v.union(v.literal("minor"), v.literal("major"))),
};

export const notification = v.object(fields);

export default defineSchema({
  notifications: defineTable({ ...fields, readAt: v.optional(v.number()) }).index("by_recipient", ["recipient"]),
});
