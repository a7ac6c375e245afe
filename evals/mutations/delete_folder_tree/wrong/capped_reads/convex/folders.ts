import { v } from "convex/values";
import type { Id } from "./_generated/dataModel";
import { mutation, type MutationCtx } from "./_generated/server";

async function removeTree(ctx: MutationCtx, folderId: Id<"folders">): Promise<number> {
  const notes = await ctx.db
    .query("notes")
    .withIndex("by_folder", (q) => q.eq("folder", folderId))
    .take(100);
  for (const note of notes) {
    await ctx.db.delete("notes", note._id);
  }
  const folders = await ctx.db
    .query("folders")
    .withIndex("by_parent", (q) => q.eq("parent", folderId))
    .take(100);
  let deleted = notes.length + 1;
  for (const folder of folders) {
    deleted += await removeTree(ctx, folder._id);
  }
  await ctx.db.delete("folders", folderId);
  return deleted;
}

export const remove = mutation({
  args: { folderId: v.id("folders") },
  handler: async (ctx, args) => {
    const folder = await ctx.db.get("folders", args.folderId);
    return folder === null ? 0 : await removeTree(ctx, folder._id);
  },
});
