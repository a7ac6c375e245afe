"use node";

import * as crypto from "node:crypto";
import { posix } from "node:path";
import { v } from "convex/values";
import { action } from "./_generated/server";

export const processWithNode = action({
  args: { data: v.string() },
  handler: async (_ctx, args): Promise<{ hash: string; normalizedPath: string }> => {
    return {
      normalizedPath: posix.join("/uploads", args.data),
      hash: crypto.hash("sha256", args.data, "hex"),
    };
  },
});
