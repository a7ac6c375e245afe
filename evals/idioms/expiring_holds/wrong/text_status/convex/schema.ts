import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  holds: defineTable({
    item: v.string(),
    holder: v.string(),
    status: v.string(),
    expiry: v.optional(v.id("_scheduled_functions")),
  }),
});
