import { v } from "convex/values";
import { mutation, query } from "./_generated/server";

const pair = { studentId: v.id("students"), courseId: v.id("courses") };

export const enroll = mutation({
  args: pair,
  handler: async (ctx, { studentId, courseId }) => {
    const student = await ctx.db.get("students", studentId);
    const course = await ctx.db.get("courses", courseId);
    if (!student || !course || course.studentIds?.includes(studentId)) {
      return null;
    }
    await ctx.db.patch("students", studentId, { courseIds: [...(student.courseIds ?? []), courseId] });
    await ctx.db.patch("courses", courseId, { studentIds: [...(course.studentIds ?? []), studentId] });
    return null;
  },
});

export const withdraw = mutation({
  args: pair,
  handler: async (ctx, { studentId, courseId }) => {
    const student = await ctx.db.get("students", studentId);
    const course = await ctx.db.get("courses", courseId);
    if (!student || !course) {
      return null;
    }
    await ctx.db.patch("students", studentId, { courseIds: student.courseIds?.filter((id) => id !== courseId) });
    await ctx.db.patch("courses", courseId, { studentIds: course.studentIds?.filter((id) => id !== studentId) });
    return null;
  },
});

export const isEnrolled = query({
  args: pair,
  handler: async (ctx, { studentId, courseId }) => {
    const course = await ctx.db.get("courses", courseId);
    return course?.studentIds?.includes(studentId) ?? false;
  },
});

export const coursesOf = query({
  args: { studentId: v.id("students") },
  handler: async (ctx, { studentId }) => {
    const student = await ctx.db.get("students", studentId);
    const courses = await Promise.all((student?.courseIds ?? []).map((id) => ctx.db.get("courses", id)));
    return courses.filter((course) => course !== null);
  },
});

export const firstStudents = query({
  args: { courseId: v.id("courses"), count: v.number() },
  handler: async (ctx, { courseId, count }) => {
    const course = await ctx.db.get("courses", courseId);
    const ids = (course?.studentIds ?? []).slice(0, count);
    const students = await Promise.all(ids.map((id) => ctx.db.get("students", id)));
    return students.filter((student) => student !== null);
  },
});
