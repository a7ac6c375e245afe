import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  students: defineTable({ name: v.string() }),
  courses: defineTable({ title: v.string() }),
  timetables: defineTable({ studentId: v.id("students"), courseIds: v.array(v.id("courses")) }).index("by_student", [
    "studentId",
  ]),
  members: defineTable({ courseId: v.id("courses"), studentId: v.id("students") })
    .index("by_course", ["courseId"])
    .index("by_both", ["courseId", "studentId"]),
});
