// What generated code gets for `convex/browser`, which few functions import.
export * from "convex/browser";
