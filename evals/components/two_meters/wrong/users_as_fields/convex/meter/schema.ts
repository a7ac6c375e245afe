import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({ totals: defineTable({ users: v.record(v.string(), v.number()) }) });
