import { v } from "convex/values";
import { action } from "./_generated/server";

export const readTextFromStorage = action({
  args: { storageId: v.id("_storage") },
  handler: async (ctx, args) => {
    const file = await ctx.storage.get(args.storageId);
    if (!file) {
      return null;
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await file.arrayBuffer());
  },
});

export const writeTextToStorage = action({
  args: { text: v.string() },
  handler: async (ctx, args) => {
    const bytes = new TextEncoder().encode(args.text);
    const file = new Blob([bytes], { type: "text/plain;charset=utf-8" });
    const storageId = await ctx.storage.store(file);
    return { storageId, url: (await ctx.storage.getUrl(storageId))! };
  },
});
