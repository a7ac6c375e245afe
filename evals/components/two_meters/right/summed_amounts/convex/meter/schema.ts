import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  amounts: defineTable({ who: v.string(), amount: v.number() }).index("who", { fields: ["who"] }),
});
