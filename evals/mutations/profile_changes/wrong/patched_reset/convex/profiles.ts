import { v } from "convex/values";
import type { Id } from "./_generated/dataModel";
import { mutation, type QueryCtx } from "./_generated/server";

async function load(ctx: QueryCtx, id: Id<"profiles">) {
  const profile = await ctx.db.get("profiles", id);
  if (profile === null) {
    throw new Error(`There is no profile ${id}`);
  }
  return profile;
}

export const rename = mutation({
  args: { id: v.id("profiles"), name: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await ctx.db.patch("profiles", args.id, { name: args.name });
    return null;
  },
});

export const setEmail = mutation({
  args: { id: v.id("profiles"), news: v.optional(v.boolean()), alerts: v.optional(v.boolean()) },
  returns: v.null(),
  handler: async (ctx, args) => {
    const { settings } = await load(ctx, args.id);
    const email = {
      news: args.news ?? settings.email.news,
      alerts: args.alerts ?? settings.email.alerts,
    };
    await ctx.db.patch("profiles", args.id, { settings: { ...settings, email } });
    return null;
  },
});

export const removeNickname = mutation({
  args: { id: v.id("profiles") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await ctx.db.patch("profiles", args.id, { nickname: undefined });
    return null;
  },
});

export const reset = mutation({
  args: { id: v.id("profiles") },
  returns: v.null(),
  handler: async (ctx, args) => {
    const { name } = await load(ctx, args.id);
    await ctx.db.patch("profiles", args.id, {
      name,
      settings: { theme: "light", email: { news: false, alerts: true } },
    });
    return null;
  },
});
