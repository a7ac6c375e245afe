import { httpRouter } from "convex/server";
import { internal } from "./_generated/api";
import { httpAction } from "./_generated/server";
const http = httpRouter();
http.route({
  path: "/purge",
  method: "POST",
  handler: httpAction(async (ctx, request) => {
    const { owner } = (await request.json()) as { owner: string };
    const count: number = await ctx.runMutation(internal.journal.purge, { owner });
    return new Response(String(count));
  }),
});
export default http;
