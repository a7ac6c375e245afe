import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  profiles: defineTable({
    name: v.string(),
    nickname: v.optional(v.string()),
    birthday: v.optional(v.string()),
    settings: v.object({
      theme: v.union(v.literal("light"), v.literal("dark")),
      email: v.object({ news: v.boolean(), alerts: v.boolean() }),
    }),
  }),
});
