import { v } from "convex/values";
import { action, internalAction, internalMutation, internalQuery, mutation, query } from "./_generated/server";
export const emptyPublicQuery = query({ args: { input: v.optional(v.string()) }, handler: async () => null });
export const emptyPublicMutation = mutation({ args: {}, handler: async () => null });
export const emptyPublicAction = action({ args: {}, handler: async () => null });
export const emptyPrivateQuery = internalQuery({ args: {}, handler: async () => null });
export const emptyPrivateMutation = internalMutation({ args: {}, handler: async () => null });
export const emptyPrivateAction = internalAction({ args: {}, handler: async () => null });
