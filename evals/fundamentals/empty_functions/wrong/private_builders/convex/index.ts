import { v } from "convex/values";
import {
  action,
  privateAction,
  privateMutation,
  privateQuery,
  mutation,
  query,
} from "./_generated/server";

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

export const emptyPrivateQuery = privateQuery({
  args: {},
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateMutation = privateMutation({
  args: {},
  returns: v.null(),
  handler: async () => null,
});

export const emptyPrivateAction = privateAction({
  args: {},
  returns: v.null(),
  handler: async () => null,
});
