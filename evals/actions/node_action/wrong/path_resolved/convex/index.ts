"use node";

import { createHash } from "crypto";
import path from "path";
import { v } from "convex/values";
import { action } from "./_generated/server";

export const processWithNode = action({
  args: { data: v.string() },
  returns: v.object({ hash: v.string(), normalizedPath: v.string() }),
  handler: async (_ctx, { data }) => {
    const hash = createHash("sha256").update(data).digest("hex");
    return { hash, normalizedPath: path.resolve("/uploads", data) };
  },
});
