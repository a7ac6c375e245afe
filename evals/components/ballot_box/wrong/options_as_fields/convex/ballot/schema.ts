import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  counts: defineTable({ poll: v.string(), options: v.record(v.string(), v.number()) }).index("by_poll", ["poll"]),
});
