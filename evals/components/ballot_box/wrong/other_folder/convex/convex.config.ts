import { defineApp } from "convex/server";
import ballot from "./components/ballot/convex.config";

const app = defineApp();
app.use(ballot);

export default app;
