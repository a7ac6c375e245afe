import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export const notification = v.any();

export default defineSchema({
  notifications: defineTable(v.any()).index("by_recipient", ["recipient"]),
});
