import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  totals: defineTable({ kind: v.string(), user: v.string(), total: v.number() }).index("by_kind_and_user", ["kind", "user"]),
});
