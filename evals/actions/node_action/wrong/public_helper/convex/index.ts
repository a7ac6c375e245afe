import { v } from "convex/values";
import { api } from "./_generated/api";
import { action } from "./_generated/server";

export const processWithNode = action({
  args: { data: v.string() },
  returns: v.object({ hash: v.string(), normalizedPath: v.string() }),
  handler: async (ctx, args): Promise<{ hash: string; normalizedPath: string }> => {
    return await ctx.runAction(api.nodeActions.process, args);
  },
});
