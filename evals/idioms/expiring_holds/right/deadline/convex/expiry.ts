import { v } from "convex/values";
import { internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { internalMutation, type MutationCtx } from "./_generated/server";

export async function expireLater(ctx: MutationCtx, hold: Id<"holds">, round: number, milliseconds: number) {
  await ctx.scheduler.runAt(Date.now() + milliseconds, internal.expiry.run, { hold, round });
}

// Counts only if the hold was neither settled nor extended since this was scheduled.
export const run = internalMutation({
  args: { hold: v.id("holds"), round: v.number() },
  handler: async (ctx, args) => {
    const hold = await ctx.db.get(args.hold);
    if (hold?.status === "active" && hold.round === args.round) {
      await ctx.db.patch(args.hold, { status: "expired" });
    }
  },
});
