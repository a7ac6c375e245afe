import { v } from "convex/values";
import { mutation, query } from "./_generated/server";

export const place = mutation({
  args: { item: v.string(), holder: v.string(), milliseconds: v.number() },
  handler: async (ctx, { item, holder, milliseconds }) => {
    return await ctx.db.insert("holds", { item, holder, status: "active", expiresAt: Date.now() + milliseconds });
  },
});

export const extend = mutation({
  args: { holdId: v.id("holds"), milliseconds: v.number() },
  handler: async (ctx, { holdId, milliseconds }) => {
    const hold = await ctx.db.get("holds", holdId);
    if (hold === null || hold.status !== "active" || hold.expiresAt <= Date.now()) {
      return false;
    }
    await ctx.db.patch("holds", holdId, { expiresAt: Date.now() + milliseconds });
    return true;
  },
});

export const confirm = mutation({
  args: { holdId: v.id("holds") },
  handler: async (ctx, { holdId }) => {
    const hold = await ctx.db.get("holds", holdId);
    if (hold === null || hold.status !== "active" || hold.expiresAt <= Date.now()) {
      return false;
    }
    await ctx.db.patch("holds", holdId, { status: "confirmed" });
    return true;
  },
});

export const status = query({
  args: { holdId: v.id("holds") },
  handler: async (ctx, { holdId }) => {
    const hold = await ctx.db.get("holds", holdId);
    return hold?.status === "active" && hold.expiresAt <= Date.now() ? "expired" : hold?.status;
  },
});
