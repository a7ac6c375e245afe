import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  holds: defineTable({
    item: v.string(),
    holder: v.string(),
    status: v.union(v.literal("active"), v.literal("confirmed"), v.literal("expired")),
    expiresAt: v.number(),
  }),
});
