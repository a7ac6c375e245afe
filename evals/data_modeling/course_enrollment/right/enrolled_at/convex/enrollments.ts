import { v } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { mutation, query } from "./_generated/server";

const args = { studentId: v.id("students"), courseId: v.id("courses") };

export const enroll = mutation({
  args,
  handler: async ({ db }, { studentId, courseId }) => {
    const seat = await db
      .query("seats")
      .withIndex("by_course_and_student", (q) => q.eq("course", courseId).eq("student", studentId))
      .first();
    if (!seat) {
      await db.insert("seats", { course: courseId, student: studentId, since: Date.now() });
    }
    return null;
  },
});

export const withdraw = mutation({
  args,
  handler: async ({ db }, { studentId, courseId }) => {
    const seats = db
      .query("seats")
      .withIndex("by_course_and_student", (q) => q.eq("course", courseId).eq("student", studentId));
    for await (const seat of seats) {
      await db.delete(seat._id);
    }
    return null;
  },
});

export const isEnrolled = query({
  args,
  handler: async ({ db }, { studentId, courseId }) => {
    const seat = await db
      .query("seats")
      .withIndex("by_course_and_student", (q) => q.eq("course", courseId).eq("student", studentId))
      .first();
    return seat !== null;
  },
});

export const coursesOf = query({
  args: { studentId: v.id("students") },
  handler: async ({ db }, { studentId }) => {
    const courses: Doc<"courses">[] = [];
    for await (const seat of db.query("seats").withIndex("by_student_since", (q) => q.eq("student", studentId))) {
      const course = await db.get(seat.course);
      if (course) {
        courses.push(course);
      }
    }
    return courses;
  },
});

export const firstStudents = query({
  args: { courseId: v.id("courses"), count: v.number() },
  handler: async ({ db }, { courseId, count }) => {
    const seats = await db
      .query("seats")
      .withIndex("by_course_since", (q) => q.eq("course", courseId))
      .order("asc")
      .take(count);
    const students = [];
    for (const seat of seats) {
      const student = await db.get(seat.student);
      if (student) {
        students.push(student);
      }
    }
    return students;
  },
});
