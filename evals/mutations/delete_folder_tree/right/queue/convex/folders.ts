import { v } from "convex/values";
import type { Id } from "./_generated/dataModel";
import { mutation } from "./_generated/server";

export const remove = mutation({
  args: { folderId: v.id("folders") },
  handler: async ({ db }, { folderId }) => {
    if (!(await db.get(folderId))) {
      return 0;
    }
    const queue: Id<"folders">[] = [folderId];
    const doomed: Id<"notes">[] = [];
    for (const folder of queue) {
      for await (const child of db.query("folders").withIndex("by_parent", (q) => q.eq("parent", folder))) {
        queue.push(child._id);
      }
      for await (const note of db.query("notes").withIndex("by_folder", (q) => q.eq("folder", folder))) {
        doomed.push(note._id);
      }
    }
    await Promise.all([...queue, ...doomed].map((id) => db.delete(id)));
    return queue.length + doomed.length;
  },
});
