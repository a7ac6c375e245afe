import { v } from "convex/values";
import type { Id } from "./_generated/dataModel";
import { mutation, query, type QueryCtx } from "./_generated/server";

const pair = { studentId: v.id("students"), courseId: v.id("courses") };

function find(ctx: QueryCtx, studentId: Id<"students">, courseId: Id<"courses">) {
  return ctx.db
    .query("enrollments")
    .withIndex("by_pair", (q) => q.eq("student", studentId).eq("course", courseId))
    .first();
}

export const enroll = mutation({
  args: pair,
  handler: async (ctx, { studentId, courseId }) => {
    const student = await ctx.db.get(studentId);
    const course = await ctx.db.get(courseId);
    if (!student || !course) throw new Error("not found");
    const old = await find(ctx, studentId, courseId);
    if (old?.status === "active") return null;
    if (old) {
      await ctx.db.patch(old._id, { status: "active", since: Date.now() });
    } else {
      await ctx.db.insert("enrollments", { student: studentId, course: courseId, status: "active", since: Date.now() });
    }
    return null;
  },
});

export const withdraw = mutation({
  args: pair,
  handler: async (ctx, { studentId, courseId }) => {
    const old = await find(ctx, studentId, courseId);
    if (old?.status === "active") await ctx.db.patch(old._id, { status: "withdrawn" });
    return null;
  },
});

export const isEnrolled = query({
  args: pair,
  handler: async (ctx, { studentId, courseId }) => (await find(ctx, studentId, courseId))?.status === "active",
});

export const coursesOf = query({
  args: { studentId: v.id("students") },
  handler: async (ctx, args) => {
    const links = await ctx.db
      .query("enrollments")
      .withIndex("by_student_status", (q) => q.eq("student", args.studentId).eq("status", "active"))
      .collect();
    return await Promise.all(links.map(async (link) => (await ctx.db.get(link.course))!));
  },
});

export const firstStudents = query({
  args: { courseId: v.id("courses"), count: v.number() },
  handler: async (ctx, args) => {
    const links = await ctx.db
      .query("enrollments")
      .withIndex("by_course_status", (q) => q.eq("course", args.courseId).eq("status", "active"))
      .take(args.count);
    return await Promise.all(links.map(async (link) => (await ctx.db.get(link.student))!));
  },
});
