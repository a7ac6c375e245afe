import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  messages: defineTable({
    channel: v.string(),
    author: v.optional(v.string()),
    body: v.string(),
    sentAt: v.number(),
    deleted: v.optional(v.boolean()),
  }).index("by_channel_deleted_sentAt", ["channel", "deleted", "sentAt"]),
});
