import { defineApp } from "convex/server";

const app = defineApp();
app.use("./ballot", { name: "ballot" });

export default app;
