import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  students: defineTable({ name: v.string() }),
  courses: defineTable({ title: v.string() }),
  seats: defineTable({
    course: v.id("courses"),
    student: v.id("students"),
    since: v.number(),
  })
    .index("by_course_and_student", { fields: ["course", "student"] })
    .index("by_course_since", { fields: ["course", "since"] })
    .index("by_student_since", { fields: ["student", "since"] }),
});
