import { internalAction, internalMutation, internalQuery } from "./_generated/server";

const nothing = { args: {}, handler: () => null };

export const emptyPrivateQuery = internalQuery(nothing);
export const emptyPrivateMutation = internalMutation(nothing);
export const emptyPrivateAction = internalAction(nothing);
