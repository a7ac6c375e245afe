import { v } from "convex/values";
import {
  action,
  internalAction,
  internalMutation,
  internalQuery,
  mutation,
  query,
} from "convex/server";

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

export const emptyPrivateQuery = internalQuery({
  args: {},
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateMutation = internalMutation({
  args: {},
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateAction = internalAction({
  args: {},
  returns: v.null(),
  handler: async () => null,
});
