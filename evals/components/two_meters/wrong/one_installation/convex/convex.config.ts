import { defineApp } from "convex/server";
import meter from "./meter/convex.config";

const app = defineApp();
app.use(meter);

export default app;
