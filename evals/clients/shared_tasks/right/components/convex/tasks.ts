import { v } from "convex/values";
import { mutation, query } from "./_generated/server";

export const add = mutation({
  args: { title: v.string() },
  handler: (ctx, { title }) => ctx.db.insert("tasks", { done: false, title }),
});

export const toggle = mutation({
  args: { taskId: v.id("tasks") },
  handler: async ({ db }, { taskId }) => {
    const task = await db.get(taskId);
    if (task) {
      await db.replace(taskId, { title: task.title, done: !task.done });
    }
    return null;
  },
});

export const list = query({
  args: {},
  handler: (ctx) => ctx.db.query("tasks").order("asc").take(1000),
});
