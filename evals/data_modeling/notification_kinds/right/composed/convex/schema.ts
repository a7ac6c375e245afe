import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

const common = { recipient: v.string(), readAt: v.optional(v.number()) };

const choice = <A extends string, B extends string>(a: A, b: B) => v.union(v.literal(a), v.literal(b));

export default defineSchema({
  notifications: defineTable(
    v.union(
      v.object({
        ...common,
        kind: v.literal("outage"),
        services: v.array(v.string()),
        severity: choice("minor", "major"),
      }),
      v.object({ ...common, kind: v.literal("payment"), cents: v.int64(), currency: choice("EUR", "USD") }),
      v.object({ ...common, kind: v.literal("mention"), author: v.string(), excerpt: v.string() }),
    ),
  ).index("inbox", ["recipient"]),
});
