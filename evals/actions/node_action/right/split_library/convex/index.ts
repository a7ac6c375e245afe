import { v } from "convex/values";
import { internal } from "./_generated/api";
import { action } from "./_generated/server";

type Processed = { hash: string; normalizedPath: string };

// The default runtime here, Node.js only where it is needed.
export const processWithNode = action({
  args: { data: v.string() },
  handler: async (ctx, args): Promise<Processed> => {
    return await ctx.runAction(internal.nodeWork.process, args);
  },
});
