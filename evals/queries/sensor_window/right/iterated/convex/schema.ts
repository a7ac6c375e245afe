import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  readings: defineTable({ sensor: v.string(), takenAt: v.float64(), celsius: v.float64() })
    .index("temperature", { fields: ["sensor", "celsius"] })
    .index("time", { fields: ["sensor", "takenAt"] }),
});
