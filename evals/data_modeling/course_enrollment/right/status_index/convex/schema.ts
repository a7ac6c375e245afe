import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  students: defineTable({ name: v.string(), email: v.optional(v.string()) }),
  courses: defineTable({ title: v.string() }),
  enrollments: defineTable({
    student: v.id("students"),
    course: v.id("courses"),
    status: v.union(v.literal("active"), v.literal("withdrawn")),
    since: v.number(),
  })
    .index("by_student_status", ["student", "status", "since"])
    .index("by_course_status", ["course", "status", "since"])
    .index("by_pair", ["student", "course"]),
});
