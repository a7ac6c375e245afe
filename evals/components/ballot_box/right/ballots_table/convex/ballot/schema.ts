import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  polls: defineTable({ name: v.string() }).index("name", ["name"]),
  papers: defineTable({ poll: v.id("polls"), option: v.string() }).index("poll_option", ["poll", "option"]),
});
