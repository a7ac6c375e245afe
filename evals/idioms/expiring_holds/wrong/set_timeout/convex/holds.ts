import { v } from "convex/values";
import type { Id } from "./_generated/dataModel";
import { mutation, type MutationCtx } from "./_generated/server";

async function activeHold(ctx: MutationCtx, holdId: Id<"holds">) {
  const hold = await ctx.db.get("holds", holdId);
  return hold?.status === "active" ? hold : null;
}

export const place = mutation({
  args: { item: v.string(), holder: v.string(), milliseconds: v.number() },
  returns: v.id("holds"),
  handler: async (ctx, { item, holder, milliseconds }) => {
    const holdId = await ctx.db.insert("holds", { item, holder, status: "active" });
    setTimeout(async () => {
      if ((await activeHold(ctx, holdId)) !== null) {
        await ctx.db.patch("holds", holdId, { status: "expired" });
      }
    }, milliseconds);
    return holdId;
  },
});

export const extend = mutation({
  args: { holdId: v.id("holds"), milliseconds: v.number() },
  returns: v.boolean(),
  handler: async (ctx, { holdId, milliseconds }) => {
    const hold = await activeHold(ctx, holdId);
    if (hold === null) {
      return false;
    }
    setTimeout(async () => {
      if ((await activeHold(ctx, holdId)) !== null) {
        await ctx.db.patch("holds", holdId, { status: "expired" });
      }
    }, milliseconds);
    return true;
  },
});

export const confirm = mutation({
  args: { holdId: v.id("holds") },
  returns: v.boolean(),
  handler: async (ctx, { holdId }) => {
    const hold = await activeHold(ctx, holdId);
    if (hold === null) {
      return false;
    }
    await ctx.db.patch("holds", holdId, { status: "confirmed", expiry: undefined });
    return true;
  },
});
