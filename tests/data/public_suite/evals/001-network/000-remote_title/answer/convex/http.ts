import { httpRouter } from "convex/server";
import { internal } from "./_generated/api";
import { httpAction } from "./_generated/server";

const http = httpRouter();

http.route({
  path: "/titles",
  method: "GET",
  handler: httpAction(async (ctx) => {
    const titles: string[] = await ctx.runQuery(internal.pages.titles, {});
    return Response.json(titles);
  }),
});

export default http;
