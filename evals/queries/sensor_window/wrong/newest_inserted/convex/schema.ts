import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  readings: defineTable({
    sensor: v.string(),
    takenAt: v.number(),
    celsius: v.number(),
  })
    .index("by_sensor_and_takenAt", ["sensor", "takenAt"])
    .index("by_sensor", ["sensor"])
    .index("by_sensor_and_celsius", ["sensor", "celsius"]),
});
