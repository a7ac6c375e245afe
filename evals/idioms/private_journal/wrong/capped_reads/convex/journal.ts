import type { Auth } from "convex/server";
import { ConvexError, v } from "convex/values";
import { internalMutation, mutation, query } from "./_generated/server";

async function requireOwner(ctx: { auth: Auth }): Promise<string> {
  const identity = await ctx.auth.getUserIdentity();
  if (identity === null) {
    throw new ConvexError({ code: "UNAUTHENTICATED" });
  }
  return identity.tokenIdentifier;
}

export const write = mutation({
  args: { text: v.string() },
  handler: async (ctx, args) => {
    const owner = await requireOwner(ctx);
    return await ctx.db.insert("entries", { owner, text: args.text });
  },
});

export const mine = query({
  args: {},
  handler: async (ctx) => {
    const owner = await requireOwner(ctx);
    const entries = await ctx.db
      .query("entries")
      .withIndex("by_owner", (q) => q.eq("owner", owner))
      .order("desc")
      .take(100);
    return entries.map((entry) => ({ id: entry._id, text: entry.text }));
  },
});

export const remove = mutation({
  args: { entryId: v.id("entries") },
  handler: async (ctx, args) => {
    const owner = await requireOwner(ctx);
    const entry = await ctx.db.get("entries", args.entryId);
    if (entry === null || entry.owner !== owner) {
      throw new ConvexError({ code: "NOT_FOUND" });
    }
    await ctx.db.delete("entries", args.entryId);
    return null;
  },
});

export const purge = internalMutation({
  args: { owner: v.string() },
  handler: async (ctx, args) => {
    const entries = await ctx.db
      .query("entries")
      .withIndex("by_owner", (q) => q.eq("owner", args.owner))
      .take(100);
    for (const entry of entries) {
      await ctx.db.delete("entries", entry._id);
    }
    return entries.length;
  },
});
