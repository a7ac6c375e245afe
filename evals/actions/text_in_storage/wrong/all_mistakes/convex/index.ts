import { v } from "convex/values";
import { action } from "convex/server";

export const writeTextToStorage = action({
  args: { text: v.string() },
  returns: v.object({ storageId: v.id("_storage"), url: v.string() }),
  handler: async (ctx, { text }) => {
    const storageId = await ctx.storage.store(new TextEncoder().encode(text), { contentType: "text/plain" });
    const url = await ctx.storage.getUrl(storageId);
    if (url === null) {
      throw new Error(`The file ${storageId} was just stored and is gone`);
    }
    return { storageId, url };
  },
});

export const readTextFromStorage = action({
  args: { storageId: v.id("_storage") },
  returns: v.string(),
  handler: async (ctx, { storageId }) => {
    const text = await ctx.storage.get(storageId);
    return text;
  },
});
