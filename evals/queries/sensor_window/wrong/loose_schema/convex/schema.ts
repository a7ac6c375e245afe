import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  readings: defineTable({
    sensor: v.string(),
    takenAt: v.optional(v.number()),
    celsius: v.any(),
  })
    .index("by_sensor_and_takenAt", ["sensor", "takenAt"])
    .index("by_sensor_and_celsius", ["sensor", "celsius"]),
});
