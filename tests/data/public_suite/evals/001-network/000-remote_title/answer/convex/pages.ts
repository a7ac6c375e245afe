import { v } from "convex/values";
import { internal } from "./_generated/api";
import { action, internalMutation, internalQuery } from "./_generated/server";

export const remember = action({
  args: { url: v.string() },
  returns: v.string(),
  handler: async (ctx, { url }): Promise<string> => {
    const response = await fetch(url);
    if (response.status !== 200) {
      throw new Error(`the page answered ${response.status}`);
    }
    const title = /<title>(.*?)<\/title>/s.exec(await response.text())?.[1] ?? "";
    await ctx.runMutation(internal.pages.save, { url, title });
    return title;
  },
});

export const save = internalMutation({
  args: { url: v.string(), title: v.string() },
  handler: async (ctx, page) => {
    await ctx.db.insert("pages", page);
    return null;
  },
});

export const titles = internalQuery({
  args: {},
  returns: v.array(v.string()),
  handler: async (ctx) => (await ctx.db.query("pages").take(1000)).map((page) => page.title),
});
