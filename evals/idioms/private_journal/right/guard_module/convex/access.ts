import { ConvexError } from "convex/values";
import type { Id } from "./_generated/dataModel";
import type { MutationCtx, QueryCtx } from "./_generated/server";

export function failure(code: "UNAUTHENTICATED" | "NOT_FOUND") {
  return new ConvexError({ code });
}

export async function currentUser(ctx: QueryCtx) {
  const identity = await ctx.auth.getUserIdentity();
  if (!identity) {
    throw failure("UNAUTHENTICATED");
  }
  return JSON.stringify([identity.issuer, identity.subject]);
}

export async function ownEntry(ctx: MutationCtx, id: Id<"entries">) {
  const owner = await currentUser(ctx);
  const entry = await ctx.db.get(id);
  if (entry?.owner !== owner) {
    throw failure("NOT_FOUND");
  }
  return entry;
}
