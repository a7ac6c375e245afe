import { ConvexError, v } from "convex/values";
import { internalQuery, mutation, query } from "./_generated/server";

export const add = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    const identity = await ctx.auth.getUserIdentity();
    if (identity === null) {
      throw new ConvexError({ code: "unauthenticated" });
    }
    return await ctx.db.insert("notes", { author: identity.subject, text, pinned: false });
  },
});

export const pin = mutation({
  args: { id: v.id("notes") },
  handler: async (ctx, { id }) => {
    await ctx.db.patch("notes", id, { pinned: true });
    return null;
  },
});

export const mine = query({
  args: {},
  handler: async (ctx) => {
    const identity = await ctx.auth.getUserIdentity();
    if (identity === null) {
      return [];
    }
    const notes = await ctx.db
      .query("notes")
      .withIndex("by_author", (q) => q.eq("author", identity.subject))
      .order("desc")
      .take(100);
    return notes.map((note) => note.text);
  },
});

export const count = internalQuery({
  args: {},
  handler: async (ctx) => (await ctx.db.query("notes").collect()).length,
});
