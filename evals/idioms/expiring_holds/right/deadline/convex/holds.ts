import { v } from "convex/values";
import { mutation } from "./_generated/server";
import { expireLater } from "./expiry";

export const place = mutation({
  args: { item: v.string(), holder: v.string(), milliseconds: v.number() },
  handler: async (ctx, { milliseconds, ...rest }) => {
    const hold = await ctx.db.insert("holds", { ...rest, status: "active", round: 0 });
    await expireLater(ctx, hold, 0, milliseconds);
    return hold;
  },
});

export const extend = mutation({
  args: { holdId: v.id("holds"), milliseconds: v.number() },
  handler: async (ctx, { holdId, milliseconds }) => {
    const hold = await ctx.db.get(holdId);
    if (hold?.status !== "active") {
      return false;
    }
    const round = hold.round + 1;
    await ctx.db.patch(holdId, { round });
    await expireLater(ctx, holdId, round, milliseconds);
    return true;
  },
});

export const confirm = mutation({
  args: { holdId: v.id("holds") },
  handler: async (ctx, { holdId }) => {
    const hold = await ctx.db.get(holdId);
    const active = hold?.status === "active";
    if (active) {
      await ctx.db.patch(holdId, { status: "confirmed" });
    }
    return active;
  },
});
