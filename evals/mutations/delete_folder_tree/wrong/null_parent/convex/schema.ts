import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  folders: defineTable({
    name: v.string(),
    parent: v.optional(v.union(v.id("folders"), v.null())),
  }).index("by_parent", ["parent"]),
  notes: defineTable({
    title: v.string(),
    folder: v.optional(v.id("folders")),
  }).index("by_folder", ["folder"]),
});
