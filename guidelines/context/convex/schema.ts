// The tables that the code blocks of the rules speak of. A block is type-checked against this schema unless its rule
// brings a schema of its own; it is no part of what a model reads.
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  articles: defineTable({ topic: v.string(), title: v.string() }).index("by_topic", ["topic"]),
  customers: defineTable({ name: v.string() }),
  invoices: defineTable({ customerId: v.id("customers"), due: v.number() }).index("by_customer_and_due", [
    "customerId",
    "due",
  ]),
  orders: defineTable({ customerId: v.id("customers"), total: v.number() }).index("by_customer", ["customerId"]),
  teams: defineTable({ plan: v.string() }),
});
