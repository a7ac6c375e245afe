import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConvexClient } from "convex/browser";
import type { FunctionReference } from "convex/server";
import { afterAll, expect } from "vitest";

const ADMIN_KEY = "public-suite|3f6c1d0a9b7e4825";

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: this file is run by a grading tool`);
  return value;
}

const address = (name: string) => `http://127.0.0.1:${required(name)}`;

export const responseUrl = address("CONVEX_PORT");
export const siteUrl = address("CONVEX_SITE_PORT");
export const answerUrl = address("CONVEX_ANSWER_PORT");

type Identity = { subject: string; issuer: string; name?: string };
type Admin = ConvexClient & { setAdminAuth(key: string, identity?: Identity): void };

const opened: ConvexClient[] = [];

function open(url: string, identity?: Identity | "admin"): ConvexClient {
  const client = new ConvexClient(url, { unsavedChangesWarning: false });
  if (identity !== undefined) {
    (client as Admin).setAdminAuth(ADMIN_KEY, identity === "admin" ? undefined : identity);
  }
  opened.push(client);
  return client;
}

export const responseClient = open(responseUrl);
export const responseAdminClient = open(responseUrl, "admin");
export const answerAdminClient = open(answerUrl, "admin");
export const asUser = (subject: string) => open(responseUrl, { subject, issuer: "https://users.example", name: subject });

afterAll(async () => {
  await Promise.all(opened.map((client) => client.close()));
});

/** A system function by its path, as the dashboard calls it. */
const system = (path: string) => path as unknown as FunctionReference<any>;

export async function insert(table: string, documents: Record<string, unknown>[]): Promise<void> {
  await responseAdminClient.mutation(system("_system/frontend/addDocument"), { table, documents });
}

export async function list(table: string, limit = 100): Promise<Record<string, unknown>[]> {
  return await responseAdminClient.query(system("_system/frontend/listTableScan"), { table, limit });
}

export async function clear(table: string): Promise<void> {
  let cursor: string | null = null;
  for (let more = true; more; ) {
    const page: any = await responseAdminClient.mutation(system("_system/frontend/clearTablePage"), {
      tableName: table,
      cursor,
    });
    cursor = page.continueCursor;
    more = page.hasMore;
  }
}

async function schemaOf(client: ConvexClient): Promise<unknown> {
  const { active } = await client.query(system("_system/frontend/getSchemas"), { componentId: null });
  return active === undefined ? null : JSON.parse(active);
}

/** The submission's schema equals the answer's: tables, fields, indexes. */
export async function compareSchema(): Promise<void> {
  expect(await schemaOf(responseAdminClient)).toEqual(await schemaOf(answerAdminClient));
}

/** The submission's functions equal the answer's, in the order in which they stand in their files. */
export async function compareFunctionSpec(): Promise<void> {
  const spec = system("_system/cli/modules:apiSpec");
  const withoutReturns = (entries: Record<string, unknown>[]) => entries.map(({ returns, ...entry }) => entry);
  const [actual, expected] = await Promise.all([
    responseAdminClient.query(spec, {}),
    answerAdminClient.query(spec, {}),
  ]);
  expect(withoutReturns(actual)).toEqual(withoutReturns(expected));
}

/** A file of the submission. */
export function submitted(path: string): string {
  return readFileSync(join(required("MODEL_OUTPUT_DIR"), path), "utf8");
}
