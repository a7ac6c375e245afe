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
  returns: v.null(),
  handler: async () => null,
});

export const emptyPublicMutation = mutation({
  returns: v.null(),
  handler: async () => null,
});

export const emptyPublicAction = action({
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateQuery = internalQuery({
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateMutation = internalMutation({
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateAction = internalAction({
  returns: v.null(),
  handler: async () => null,
});
