import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  counts: defineTable({
    poll: v.string(),
    option: v.string(),
    votes: v.number(),
  }).index("by_poll_and_option", ["poll", "option"]),
});
