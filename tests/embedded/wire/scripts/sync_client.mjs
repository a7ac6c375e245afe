// The official WebSocket client: one-shot calls, live queries, admin auth with an identity, errors.
import { ConvexClient } from "convex/browser";
import { anyApi } from "convex/server";

const [url, adminKey] = process.argv.slice(2);
const messages = anyApi.messages;
const seen = {};
const silent = { log() {}, warn() {}, error() {}, logVerbose() {} };
const client = new ConvexClient(url, { logger: silent, unsavedChangesWarning: false });

// One-shot reads around a mutation must not be stale.
seen.before = await client.query(messages.list, {});
seen.id = await client.mutation(messages.send, { author: "ann", body: "one" });
seen.after = await client.query(messages.list, {});
seen.action = await client.action(messages.sendTwice, { author: "bob", body: "two" });
seen.afterAction = await client.query(messages.list, {});
seen.encoded = String(await client.action(messages.echo, { value: 12345678901234567890n / 100n }));

// A live query sees each change.
const values = [];
await new Promise((resolve, reject) => {
  const stop = client.onUpdate(messages.count, { name: "live" }, (value) => {
    values.push(value);
    if (value === 3) (stop(), resolve());
  }, reject);
  (async () => { for (let i = 0; i < 3; i++) await client.mutation(messages.add, { name: "live" }); })().catch(reject);
});
seen.last = values.at(-1);
seen.first = values[0];
seen.rising = values.every((value, i) => i === 0 || value > values[i - 1]);

// Parallel mutations of one session run in the order they were sent.
seen.parallel = await Promise.all(Array.from({ length: 20 }, () => client.mutation(messages.add, { name: "par" })));

const caught = async (work) => await work.then(() => null, (e) => ({ message: e.message, data: e.data && { code: e.data.code, big: String(e.data.big) } }));
seen.plain = await caught(client.mutation(messages.fail, { how: "plain" }));
seen.convex = await caught(client.mutation(messages.fail, { how: "convex" }));
seen.badArgs = await caught(client.mutation(messages.send, { author: 1 }));
seen.unknown = await caught(client.query(messages.nothing, {}));
seen.internal = await caught(client.query(messages.secret, {}));
seen.nobody = await client.query(messages.whoami, {});
// Until the client's Remove is acknowledged, it answers the same query from its cache. The acknowledgement comes first.
const acknowledged = () => client.query(messages.list, {});
await acknowledged();

client.client.setAdminAuth(adminKey, { subject: "u1", issuer: "https://issuer", name: "Uma" });
seen.somebody = await client.query(messages.whoami, {});
seen.secret = await client.query(messages.secret, {});
await acknowledged();
client.client.setAdminAuth(adminKey);
seen.admin = await client.query(messages.whoami, {});
seen.spec = (await client.query("_system/cli/modules:apiSpec", {})).length > 5;

await client.close();
console.log(JSON.stringify(seen));
