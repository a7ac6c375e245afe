// What generated code gets for its imports of the npm package: each entry point on first use, once in a realm.
module.exports = {
  "convex/server": () => require("convex/server"),
  "convex/values": () => require("convex/values"),
  "convex/browser": () => require("convex/browser"),
};
