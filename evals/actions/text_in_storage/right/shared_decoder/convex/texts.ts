import type { Id } from "./_generated/dataModel";
import type { ActionCtx } from "./_generated/server";

export async function store(ctx: ActionCtx, text: string) {
  const storageId = await ctx.storage.store(new Blob([text], { type: "text/plain" }));
  return { storageId, url: await ctx.storage.getUrl(storageId) };
}

export async function load(ctx: ActionCtx, storageId: Id<"_storage">) {
  const url = await ctx.storage.getUrl(storageId);
  if (url === null) {
    return null;
  }
  const blob = await ctx.storage.get(storageId);
  return (await blob?.text()) ?? null;
}
