import { ConvexError, v } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { internalMutation, mutation, query, type QueryCtx } from "./_generated/server";

async function currentUser(ctx: QueryCtx): Promise<{ token: string; user: Doc<"users"> | null }> {
  const identity = await ctx.auth.getUserIdentity();
  if (!identity) throw new ConvexError({ code: "UNAUTHENTICATED" });
  const user = await ctx.db
    .query("users")
    .withIndex("by_token", (q) => q.eq("tokenIdentifier", identity.tokenIdentifier))
    .unique();
  return { token: identity.tokenIdentifier, user };
}

export const write = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    const { token, user } = await currentUser(ctx);
    const owner = user?._id ?? (await ctx.db.insert("users", { tokenIdentifier: token }));
    return await ctx.db.insert("entries", { owner, text });
  },
});

export const mine = query({
  args: {},
  handler: async (ctx) => {
    const { user } = await currentUser(ctx);
    if (!user) return [];
    const entries = await ctx.db
      .query("entries")
      .withIndex("by_owner", (q) => q.eq("owner", user._id))
      .order("desc")
      .collect();
    return entries.map(({ _id, text }) => ({ id: _id, text }));
  },
});

export const remove = mutation({
  args: { entryId: v.id("entries") },
  handler: async (ctx, { entryId }) => {
    const { user } = await currentUser(ctx);
    const entry = await ctx.db.get(entryId);
    if (!entry || entry.owner !== user?._id) throw new ConvexError({ code: "NOT_FOUND" });
    await ctx.db.delete(entryId);
    return null;
  },
});

export const purge = internalMutation({
  args: { owner: v.string() },
  handler: async (ctx, { owner }) => {
    const entries = await ctx.db.query("entries").withIndex("by_owner", (q) => q.eq("owner", owner)).collect();
    await Promise.all(entries.map((entry) => ctx.db.delete(entry._id)));
    return entries.length;
  },
});
