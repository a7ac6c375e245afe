"use node";

import { createHash } from "crypto";
import path from "path";
import { v } from "convex/values";
import { action } from "./_generated/server";

export const process = action({
  args: { data: v.string() },
  returns: v.object({ hash: v.string(), normalizedPath: v.string() }),
  handler: async (_ctx, { data }) => {
    return {
      hash: createHash("sha256").update(data, "utf8").digest("hex"),
      normalizedPath: path.normalize(`/uploads/${data}`),
    };
  },
});
