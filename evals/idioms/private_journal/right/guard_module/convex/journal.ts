import { v } from "convex/values";
import { currentUser, ownEntry } from "./access";
import { internalMutation, mutation, query } from "./_generated/server";

export const mine = query({
  args: {},
  handler: async (ctx) => {
    const owner = await currentUser(ctx);
    const found = [];
    for await (const { _id, text } of ctx.db
      .query("entries")
      .withIndex("by_owner", (q) => q.eq("owner", owner))
      .order("desc")) {
      found.push({ id: _id, text });
    }
    return found;
  },
});

export const write = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => ctx.db.insert("entries", { text, owner: await currentUser(ctx) }),
});

export const remove = mutation({
  args: { entryId: v.id("entries") },
  handler: async (ctx, { entryId }) => {
    const entry = await ownEntry(ctx, entryId);
    await ctx.db.delete(entry._id);
    return null;
  },
});

export const purge = internalMutation({
  args: { owner: v.string() },
  handler: async (ctx, { owner }) => {
    const entries = await ctx.db
      .query("entries")
      .withIndex("by_owner", (q) => q.eq("owner", owner))
      .collect();
    await Promise.all(entries.map((entry) => ctx.db.delete(entry._id)));
    return entries.length;
  },
});
