import * as server from "./_generated/server";

export const emptyPrivateAction = server.internalAction({
  args: {},
  handler: async (_ctx, _args): Promise<null> => {
    return null;
  },
});

export const emptyPrivateMutation = server.internalMutation({
  args: {},
  handler: async (_ctx) => {
    return null;
  },
});

export const emptyPrivateQuery = server.internalQuery({
  args: {},
  handler: async (_ctx) => {
    return null;
  },
});

export const emptyPublicAction = server.action({
  args: {},
  handler: async () => {
    // A function that returns nothing answers null to its caller.
  },
});

export const emptyPublicMutation = server.mutation({
  args: {},
  handler: async () => {
    return null;
  },
});

export const emptyPublicQuery = server.query({
  args: {},
  handler: async () => {
    return null;
  },
});
