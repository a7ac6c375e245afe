import { v } from "convex/values";
import { internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { internalMutation, mutation, type MutationCtx } from "./_generated/server";

async function activeHold(ctx: MutationCtx, holdId: Id<"holds">) {
  const hold = await ctx.db.get("holds", holdId);
  return hold?.status === "active" ? hold : null;
}

export const place = mutation({
  args: { item: v.string(), holder: v.string(), milliseconds: v.number() },
  returns: v.id("holds"),
  handler: async (ctx, { item, holder, milliseconds }) => {
    const holdId = await ctx.db.insert("holds", { item, holder, status: "active" });
    const expiry = await ctx.scheduler.runAfter(milliseconds / 1000, internal.holds.expire, { holdId });
    await ctx.db.patch("holds", holdId, { expiry });
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
    if (hold.expiry !== undefined) {
      await ctx.scheduler.cancel(hold.expiry);
    }
    const expiry = await ctx.scheduler.runAfter(milliseconds / 1000, internal.holds.expire, { holdId });
    await ctx.db.patch("holds", holdId, { expiry });
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
    if (hold.expiry !== undefined) {
      await ctx.scheduler.cancel(hold.expiry);
    }
    await ctx.db.patch("holds", holdId, { status: "confirmed", expiry: undefined });
    return true;
  },
});

export const expire = internalMutation({
  args: { holdId: v.id("holds") },
  returns: v.null(),
  handler: async (ctx, { holdId }) => {
    if ((await activeHold(ctx, holdId)) !== null) {
      await ctx.db.patch("holds", holdId, { status: "expired", expiry: undefined });
    }
    return null;
  },
});
