import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  books: defineTable({
    title: v.string(),
    shelf: v.number(),
    borrower: v.optional(v.id("people")),
  }).index("by_shelf", ["shelf", "title"]),
  people: defineTable({ name: v.string() }),
});
