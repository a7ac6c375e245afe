import { v } from "convex/values";
import { internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { internalMutation, mutation, type MutationCtx } from "./_generated/server";

async function removeOne(ctx: MutationCtx, folderId: Id<"folders">): Promise<number> {
  const notes = await ctx.db
    .query("notes")
    .withIndex("by_folder", (q) => q.eq("folder", folderId))
    .collect();
  for (const note of notes) {
    await ctx.db.delete("notes", note._id);
  }
  const folders = await ctx.db
    .query("folders")
    .withIndex("by_parent", (q) => q.eq("parent", folderId))
    .collect();
  for (const folder of folders) {
    await ctx.scheduler.runAfter(0, internal.folders.removeLater, { folderId: folder._id });
  }
  await ctx.db.delete("folders", folderId);
  return notes.length + 1;
}

export const removeLater = internalMutation({
  args: { folderId: v.id("folders") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await removeOne(ctx, args.folderId);
    return null;
  },
});

export const remove = mutation({
  args: { folderId: v.id("folders") },
  returns: v.number(),
  handler: async (ctx, args) => {
    const folder = await ctx.db.get("folders", args.folderId);
    return folder === null ? 0 : await removeOne(ctx, folder._id);
  },
});
