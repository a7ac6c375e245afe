import { v } from "convex/values";
import type { Id } from "./_generated/dataModel";
import { mutation, query, type QueryCtx } from "./_generated/server";

const pair = { studentId: v.id("students"), courseId: v.id("courses") };

async function findEnrollment(ctx: QueryCtx, ids: { studentId: Id<"students">; courseId: Id<"courses"> }) {
  const rows = await ctx.db
    .query("enrollments")
    .withIndex("by_student_and_course", (q) => q.eq("studentId", ids.studentId).eq("courseId", ids.courseId))
    .order("desc")
    .take(1);
  return rows.find((row) => !row.withdrawn) ?? null;
}

export const enroll = mutation({
  args: pair,
  handler: async (ctx, args) => {
    if ((await findEnrollment(ctx, args)) === null) {
      await ctx.db.insert("enrollments", { ...args, withdrawn: false });
    }
    return null;
  },
});

export const withdraw = mutation({
  args: pair,
  handler: async (ctx, args) => {
    const enrollment = await findEnrollment(ctx, args);
    if (enrollment !== null) {
      await ctx.db.patch(enrollment._id, { withdrawn: true });
    }
    return null;
  },
});

export const isEnrolled = query({
  args: pair,
  handler: async (ctx, args) => (await findEnrollment(ctx, args)) !== null,
});

export const coursesOf = query({
  args: { studentId: v.id("students") },
  handler: async (ctx, args) => {
    const enrollments = await ctx.db
      .query("enrollments")
      .withIndex("by_student", (q) => q.eq("studentId", args.studentId))
      .collect();
    const active = enrollments.filter((one) => !one.withdrawn);
    const courses = await Promise.all(active.map((one) => ctx.db.get(one.courseId)));
    return courses.filter((course) => course !== null);
  },
});

export const firstStudents = query({
  args: { courseId: v.id("courses"), count: v.number() },
  handler: async (ctx, args) => {
    const enrollments = await ctx.db
      .query("enrollments")
      .withIndex("by_course", (q) => q.eq("courseId", args.courseId))
      .take(args.count);
    const active = enrollments.filter((one) => !one.withdrawn);
    const students = await Promise.all(active.map((one) => ctx.db.get(one.studentId)));
    return students.filter((student) => student !== null);
  },
});
