import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  users: defineTable({ tokenIdentifier: v.string(), name: v.optional(v.string()) }).index("by_token", ["tokenIdentifier"]),
  entries: defineTable({ owner: v.string(), text: v.string() }).index("by_owner", ["owner"]),
});
