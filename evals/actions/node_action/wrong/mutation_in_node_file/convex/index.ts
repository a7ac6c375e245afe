"use node";

import { createHash } from "crypto";
import path from "path";
import { v } from "convex/values";
import { mutation } from "./_generated/server";

export const processWithNode = mutation({
  args: { data: v.string() },
  returns: v.object({ hash: v.string(), normalizedPath: v.string() }),
  handler: async (_ctx, { data }) => {
    const hash = createHash("sha256").update(data, "utf8").digest("hex");
    const normalizedPath = path.normalize(`/uploads/${data}`);
    return { hash, normalizedPath };
  },
});
