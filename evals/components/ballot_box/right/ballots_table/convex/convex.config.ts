import { defineApp } from "convex/server";
import definition from "./ballot/convex.config.js";

const app = defineApp();
app.use(definition, { name: "ballot" });
export default app;
