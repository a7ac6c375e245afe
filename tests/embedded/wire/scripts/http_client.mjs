// The official HTTP client.
import { ConvexHttpClient } from "convex/browser";
import { anyApi } from "convex/server";

const [url, adminKey] = process.argv.slice(2);
const messages = anyApi.messages;
const seen = {};
const client = new ConvexHttpClient(url, { logger: false });
const caught = async (work) => await work.then(() => null, (e) => ({ message: e.message, code: e.data?.code }));

seen.id = await client.mutation(messages.send, { author: "ann", body: "one" });
seen.list = await client.query(messages.list, {});
seen.consistent = [await client.consistentQuery(messages.list, {})];
await client.mutation(messages.send, { author: "ann", body: "two" });
seen.consistent.push(await client.consistentQuery(messages.list, {}));
seen.echo = await client.action(messages.echo, { value: { bytes: new Uint8Array([1, 2, 3]).buffer, big: 5n, inf: Infinity, nothing: null } })
  .then((v) => ({ bytes: [...new Uint8Array(v.bytes)], big: String(v.big), inf: v.inf === Infinity, nothing: v.nothing }));
seen.convex = await caught(client.mutation(messages.fail, { how: "convex" }));
seen.badArgs = await caught(client.query(messages.byAuthor, {}));
seen.kind = await caught(client.query(messages.send, { author: "a", body: "b" }));
client.setAdminAuth(adminKey, { subject: "u2", issuer: "https://issuer", email: "ü@example.com" });
seen.who = await client.query(messages.whoami, {});
seen.secret = await client.query(messages.secret, {});
client.setAuth("a.jwt.token");
seen.jwt = await caught(client.query(messages.list, {}));
client.setAdminAuth("wrong");
seen.wrong = await caught(client.query(messages.list, {}));
console.log(JSON.stringify(seen));
