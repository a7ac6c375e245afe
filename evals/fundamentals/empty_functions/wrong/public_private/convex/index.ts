import { v } from "convex/values";
import { action, mutation, query } from "./_generated/server";

export const emptyPublicQuery = query({
  args: {},
  returns: v.null(),
  handler: async () => null,
});

export const emptyPublicMutation = mutation({
  args: {},
  returns: v.null(),
  handler: async () => null,
});

export const emptyPublicAction = action({
  args: {},
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateQuery = query({
  args: {},
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateMutation = mutation({
  args: {},
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateAction = action({
  args: {},
  returns: v.null(),
  handler: async () => null,
});
