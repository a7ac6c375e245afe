import { v } from "convex/values";
import {
  action,
  internalAction,
  internalMutation,
  internalQuery,
  mutation,
  query,
} from "./_generated/server";

export const emptyPublicQuery = query({
  args: {},
  returns: v.object({}),
  handler: async () => ({}),
});

export const emptyPublicMutation = mutation({
  args: {},
  returns: v.object({}),
  handler: async () => ({}),
});

export const emptyPublicAction = action({
  args: {},
  returns: v.object({}),
  handler: async () => ({}),
});

export const emptyPrivateQuery = internalQuery({
  args: {},
  returns: v.object({}),
  handler: async () => ({}),
});

export const emptyPrivateMutation = internalMutation({
  args: {},
  returns: v.object({}),
  handler: async () => ({}),
});

export const emptyPrivateAction = internalAction({
  args: {},
  returns: v.object({}),
  handler: async () => ({}),
});
