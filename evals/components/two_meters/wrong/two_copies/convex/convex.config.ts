import { defineApp } from "convex/server";
import requests from "./requests/convex.config";
import uploads from "./uploads/convex.config";

const app = defineApp();
app.use(requests);
app.use(uploads);

export default app;
