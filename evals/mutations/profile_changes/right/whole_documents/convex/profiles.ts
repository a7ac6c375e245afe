import { ConvexError, v } from "convex/values";
import type { Doc, Id } from "./_generated/dataModel";
import { mutation, type MutationCtx } from "./_generated/server";

type Profile = Doc<"profiles">;

const id = v.id("profiles");

// Reads the document, lets `change` make another one of it, and stores that in its place.
async function change(ctx: MutationCtx, profileId: Id<"profiles">, make: (old: Profile) => Omit<Profile, "_id" | "_creationTime">) {
  const old = await ctx.db.get(profileId);
  if (!old) {
    throw new ConvexError("No such profile");
  }
  await ctx.db.replace(profileId, make(old));
  return null;
}

export const rename = mutation({
  args: { id, name: v.string() },
  handler: (ctx, args) => change(ctx, args.id, (old) => ({ ...old, name: args.name })),
});

export const setEmail = mutation({
  args: { id, news: v.optional(v.boolean()), alerts: v.optional(v.boolean()) },
  handler: (ctx, { id: profileId, ...given }) =>
    change(ctx, profileId, (old) => ({
      ...old,
      settings: { ...old.settings, email: { ...old.settings.email, ...given } },
    })),
});

export const removeNickname = mutation({
  args: { id },
  handler: (ctx, args) => change(ctx, args.id, ({ nickname: _, ...rest }) => rest),
});

export const reset = mutation({
  args: { id },
  handler: (ctx, args) =>
    change(ctx, args.id, ({ name }) => ({
      name,
      settings: { theme: "light", email: { news: false, alerts: true } },
    })),
});
