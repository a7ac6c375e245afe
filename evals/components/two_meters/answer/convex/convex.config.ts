import { defineApp } from "convex/server";
import meter from "./meter/convex.config";

const app = defineApp();
app.use(meter, { name: "requests" });
app.use(meter, { name: "uploads" });

export default app;
