import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  folders: defineTable({
    name: v.string(),
    parent: v.optional(v.string()),
  }).index("by_parent", ["parent"]),
  notes: defineTable({
    title: v.string(),
    folder: v.string(),
  }).index("by_folder", ["folder"]),
});
