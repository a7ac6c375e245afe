"use node";

import crypto from "crypto";
import { normalize } from "path";
import { v } from "convex/values";
import { internalAction } from "./_generated/server";

export const process = internalAction({
  args: { data: v.string() },
  handler: async (_ctx, { data }) => ({
    hash: crypto.createHash("sha256").update(Buffer.from(data, "utf8")).digest("hex"),
    normalizedPath: normalize("/uploads/" + data),
  }),
});
