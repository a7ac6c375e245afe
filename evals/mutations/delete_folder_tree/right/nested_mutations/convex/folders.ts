import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation, mutation } from "./_generated/server";

// A mutation that is run by a mutation is part of its transaction.
export const removeBelow = internalMutation({
  args: { folderId: v.id("folders") },
  handler: async (ctx, args): Promise<number> => {
    const folders = await ctx.db
      .query("folders")
      .withIndex("by_parent", (q) => q.eq("parent", args.folderId))
      .collect();
    let count = 0;
    for (const folder of folders) {
      count += await ctx.runMutation(internal.folders.removeBelow, { folderId: folder._id });
    }
    const notes = await ctx.db
      .query("notes")
      .withIndex("by_folder", (q) => q.eq("folder", args.folderId))
      .collect();
    await Promise.all(notes.map((note) => ctx.db.delete("notes", note._id)));
    await ctx.db.delete("folders", args.folderId);
    return count + notes.length + 1;
  },
});

export const remove = mutation({
  args: { folderId: v.id("folders") },
  handler: async (ctx, args): Promise<number> => {
    if ((await ctx.db.get("folders", args.folderId)) === null) {
      return 0;
    }
    return await ctx.runMutation(internal.folders.removeBelow, { folderId: args.folderId });
  },
});
