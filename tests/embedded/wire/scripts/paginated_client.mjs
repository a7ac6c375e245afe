// The official client's paginated live query, and what it does when its connection is cut.
import { ConvexClient } from "convex/browser";
import { anyApi } from "convex/server";

const [url] = process.argv.slice(2);
const messages = anyApi.messages;
const seen = {};
const silent = { log() {}, warn() {}, error() {}, logVerbose() {} };
const client = new ConvexClient(url, { logger: silent, unsavedChangesWarning: false });
const send = (body) => client.mutation(messages.send, { author: "a", body });
for (let i = 0; i < 5; i++) await send(`m${i}`);

let latest = null;
let look = () => {};
const until = (what, ready) => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error(`${what}: ${JSON.stringify(latest)}`)), 10000);
  look = () => { if (latest !== null && ready(latest)) (clearTimeout(timer), resolve()); };
  look();
});
const bodies = () => latest.results.map((m) => m.body);
const stop = client.onPaginatedUpdate_experimental(messages.page, {}, { initialNumItems: 2 }, (result) => {
  latest = result;
  look();
});
await until("first page", (r) => r.results.length === 2);
seen.first = bodies();
latest.loadMore(2);
await until("second page", (r) => r.results.length === 4);
seen.second = bodies();
latest.loadMore(10);
await until("all", (r) => r.status === "Exhausted");
await send("m5");
// The last page has no end: what is new appears in it, the other pages keep theirs.
await until("live", (r) => r.results.length === 6);
seen.live = bodies();

// Cut the connection with mutations in flight: each counts exactly once.
const socket = () => client.client.webSocketManager.socket.ws;
const added = Array.from({ length: 5 }, () => client.mutation(messages.add, { name: "cut" }));
socket().close();
seen.added = await Promise.all(added);
seen.count = await client.query(messages.count, { name: "cut" });
await send("m6");
await until("after the cut", (r) => r.results.length === 7);
seen.afterCut = bodies();
seen.connections = client.client.connectionState().connectionCount;
stop();
await client.close();
console.log(JSON.stringify(seen));
