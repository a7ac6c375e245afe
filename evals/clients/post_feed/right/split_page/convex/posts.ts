import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { query } from "./_generated/server";
import schema from "./schema";

export const list = query({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(schema.doc("posts")),
  handler: (ctx, { paginationOpts }) =>
    ctx.db.query("posts").withIndex("by_creation_time").order("desc").paginate(paginationOpts),
});
