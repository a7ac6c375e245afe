import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  totals: defineTable({ user: v.string(), total: v.number() }).index("by_user", ["user"]),
});
