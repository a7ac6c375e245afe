import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  students: defineTable({ name: v.string(), courseIds: v.optional(v.array(v.id("courses"))) }),
  courses: defineTable({ title: v.string(), studentIds: v.optional(v.array(v.id("students"))) }),
});
