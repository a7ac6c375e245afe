import { v } from "convex/values";
import type { Id } from "./_generated/dataModel";
import { mutation, query, type QueryCtx } from "./_generated/server";

const pair = { studentId: v.id("students"), courseId: v.id("courses") };

function timetable(ctx: QueryCtx, studentId: Id<"students">) {
  return ctx.db.query("timetables").withIndex("by_student", (q) => q.eq("studentId", studentId)).unique();
}
function member(ctx: QueryCtx, studentId: Id<"students">, courseId: Id<"courses">) {
  return ctx.db.query("members").withIndex("by_both", (q) => q.eq("courseId", courseId).eq("studentId", studentId)).unique();
}

export const enroll = mutation({
  args: pair,
  handler: async (ctx, { studentId, courseId }) => {
    if (await member(ctx, studentId, courseId)) return null;
    await ctx.db.insert("members", { courseId, studentId });
    const own = await timetable(ctx, studentId);
    if (own) await ctx.db.patch(own._id, { courseIds: [...own.courseIds, courseId] });
    else await ctx.db.insert("timetables", { studentId, courseIds: [courseId] });
    return null;
  },
});

export const withdraw = mutation({
  args: pair,
  handler: async (ctx, { studentId, courseId }) => {
    const link = await member(ctx, studentId, courseId);
    if (!link) return null;
    await ctx.db.delete(link._id);
    const own = await timetable(ctx, studentId);
    if (own) await ctx.db.patch(own._id, { courseIds: own.courseIds.filter((id) => id !== courseId) });
    return null;
  },
});

export const isEnrolled = query({
  args: pair,
  handler: async (ctx, { studentId, courseId }) => (await member(ctx, studentId, courseId)) !== null,
});

export const coursesOf = query({
  args: { studentId: v.id("students") },
  handler: async (ctx, args) => {
    const own = await timetable(ctx, args.studentId);
    const courses = await Promise.all((own?.courseIds ?? []).map((id) => ctx.db.get(id)));
    return courses.flatMap((course) => (course ? [course] : []));
  },
});

export const firstStudents = query({
  args: { courseId: v.id("courses"), count: v.number() },
  handler: async (ctx, args) => {
    const { page } = await ctx.db
      .query("members")
      .withIndex("by_course", (q) => q.eq("courseId", args.courseId))
      .paginate({ cursor: null, numItems: args.count });
    const students = [];
    for (const one of page) {
      const student = await ctx.db.get(one.studentId);
      if (student) students.push(student);
    }
    return students;
  },
});
