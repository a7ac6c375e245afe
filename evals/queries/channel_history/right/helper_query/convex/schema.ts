import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

const messages = defineTable(
  v.object({
    channel: v.string(),
    author: v.string(),
    body: v.string(),
    sentAt: v.number(),
    deleted: v.boolean(),
  }),
).index("visible", { fields: ["deleted", "channel", "sentAt"] });

export default defineSchema({ messages });
