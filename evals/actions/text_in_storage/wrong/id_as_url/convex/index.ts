import { v } from "convex/values";
import { action } from "./_generated/server";

export const writeTextToStorage = action({
  args: { text: v.string() },
  returns: v.object({ storageId: v.id("_storage"), url: v.string() }),
  handler: async (ctx, { text }) => {
    const storageId = await ctx.storage.store(new Blob([text], { type: "text/plain" }));
    const url = `${process.env.CONVEX_SITE_URL}/api/storage/${storageId}`;
    return { storageId, url };
  },
});

export const readTextFromStorage = action({
  args: { storageId: v.id("_storage") },
  returns: v.string(),
  handler: async (ctx, { storageId }) => {
    const blob = await ctx.storage.get(storageId);
    if (blob === null) {
      throw new Error(`There is no file ${storageId}`);
    }
    return await blob.text();
  },
});
