"use node";

import { v } from "convex/values";
import { action } from "./_generated/server";

export const processWithNode = action({
  args: { data: v.string() },
  handler: async (_ctx, args) => {
    const { createHash } = await import("node:crypto");
    const { posix } = await import("node:path");
    return {
      hash: createHash("sha256").update(args.data).digest("hex"),
      normalizedPath: posix.normalize("/uploads/" + args.data),
    };
  },
});
