import { v } from "convex/values";
import { action } from "./_generated/server";
import { load, store } from "./texts";

export const writeTextToStorage = action({
  args: { text: v.string() },
  handler: (ctx, { text }) => store(ctx, text),
});

export const readTextFromStorage = action({
  args: { storageId: v.id("_storage") },
  handler: (ctx, { storageId }) => load(ctx, storageId),
});
