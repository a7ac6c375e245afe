import { action, mutation, query } from "./_generated/server";

export { emptyPrivateAction, emptyPrivateMutation, emptyPrivateQuery } from "./private";

async function doNothing() {
  return null;
}

export const emptyPublicQuery = query({ args: {}, handler: doNothing });
export const emptyPublicMutation = mutation({ args: {}, handler: doNothing });
export const emptyPublicAction = action({ args: {}, handler: doNothing });
