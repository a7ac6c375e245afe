import { v } from "convex/values";
import { mutation } from "./_generated/server";

export const rename = mutation({
  args: { id: v.id("profiles"), name: v.string() },
  handler: async (ctx, args) => {
    await ctx.db.patch(args.id, { name: args.name });
    return null;
  },
});

export const setEmail = mutation({
  args: { id: v.id("profiles"), news: v.optional(v.boolean()), alerts: v.optional(v.boolean()) },
  handler: async (ctx, { id, news, alerts }) => {
    if (news === undefined && alerts === undefined) {
      return null;
    }
    const profile = await ctx.db.get(id);
    if (!profile) throw new Error("Profile not found");
    const email = { ...profile.settings.email };
    if (news !== undefined) email.news = news;
    if (alerts !== undefined) email.alerts = alerts;
    await ctx.db.patch(id, { settings: { ...profile.settings, email } });
    return null;
  },
});

export const removeNickname = mutation({
  args: { id: v.id("profiles") },
  handler: async (ctx, args) => {
    await ctx.db.patch(args.id, { nickname: undefined });
    return null;
  },
});

export const reset = mutation({
  args: { id: v.id("profiles") },
  handler: async (ctx, args) => {
    const profile = await ctx.db.get(args.id);
    if (!profile) throw new Error("Profile not found");
    await ctx.db.replace(args.id, {
      name: profile.name,
      settings: { theme: "light", email: { news: false, alerts: true } },
    });
    return null;
  },
});
