"""Sources of small Convex projects that several tests deploy."""

CHAT = {
    "schema.ts": """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  messages: defineTable({ author: v.string(), body: v.string() }).index("by_author", ["author"]),
  counters: defineTable({ name: v.string(), count: v.number() }).index("by_name", ["name"]),
});
""",
    "messages.ts": """
import { action, internalQuery, mutation, query } from "./_generated/server";
import { api, internal } from "./_generated/api";
import { ConvexError, v } from "convex/values";
import { paginationOptsValidator } from "convex/server";

export const send = mutation({
  args: { author: v.string(), body: v.string() },
  returns: v.id("messages"),
  handler: async (ctx, args) => {
    console.log("sending", args.body);
    return await ctx.db.insert("messages", args);
  },
});
export const list = query({
  args: {},
  handler: async (ctx) => (await ctx.db.query("messages").collect()).map((m) => `${m.author}: ${m.body}`),
});
export const byAuthor = query({
  args: { author: v.string() },
  handler: async (ctx, { author }) =>
    (await ctx.db.query("messages").withIndex("by_author", (q) => q.eq("author", author)).collect()).map((m) => m.body),
});
export const page = query({
  args: { paginationOpts: paginationOptsValidator },
  handler: async (ctx, { paginationOpts }) => await ctx.db.query("messages").paginate(paginationOpts),
});
export const some = query({ args: {}, handler: async (ctx) => (await ctx.db.query("messages").first()) !== null });
export const secret = internalQuery({ args: {}, handler: async () => "internal" });
export const whoami = query({ args: {}, handler: async (ctx) => await ctx.auth.getUserIdentity() });
export const echo = action({ args: { value: v.any() }, handler: async (ctx, { value }) => value });
export const sendTwice = action({
  args: { author: v.string(), body: v.string() },
  handler: async (ctx, args) => {
    await ctx.runMutation(api.messages.send, args);
    await ctx.runMutation(api.messages.send, args);
    return await ctx.runQuery(internal.messages.secret, {});
  },
});
export const fail = mutation({
  args: { how: v.string() },
  handler: async (ctx, { how }) => {
    await ctx.db.insert("messages", { author: "ghost", body: how });
    if (how === "convex") throw new ConvexError({ code: 7, big: 2n });
    throw new Error("plain " + how);
  },
});
export const add = mutation({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    const found = await ctx.db.query("counters").withIndex("by_name", (q) => q.eq("name", name)).unique();
    if (found === null) return (await ctx.db.insert("counters", { name, count: 1 }), 1);
    await ctx.db.patch(found._id, { count: found.count + 1 });
    return found.count + 1;
  },
});
export const count = query({
  args: { name: v.string() },
  handler: async (ctx, { name }) =>
    (await ctx.db.query("counters").withIndex("by_name", (q) => q.eq("name", name)).unique())?.count ?? 0,
});
""",
}
