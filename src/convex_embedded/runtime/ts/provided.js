// What generated code gets for `convex/server` and `convex/values`: one script, so that the two share their classes.
// (Imported as ES modules and flattened: evaluating it, once a call, costs a third of the CommonJS builds.)
import * as server from "convex/server";
import * as values from "convex/values";

for (const namespace of [server, values]) Object.defineProperty(namespace, "__esModule", { value: true });
module.exports = { "convex/server": server, "convex/values": values };
