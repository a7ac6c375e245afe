import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { anyApi } from "convex/server";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { clear, compareSchema, list, responseClient, siteUrl } from "../../../grader";

let server: Server;
let origin: string;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.statusCode = request.url === "/gone" ? 410 : 200;
    response.end(`<html><head><title>Title of ${request.url}</title></head></html>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
});

beforeEach(async () => {
  await clear("pages");
  asked.length = 0;
});

test("the schema is the one asked for", compareSchema);

test("a title is fetched, returned and stored", async () => {
  expect(await responseClient.action(anyApi.pages.remember, { url: `${origin}/a` })).toBe("Title of /a");
  expect(asked).toEqual(["/a"]);
  expect(await list("pages")).toMatchObject([{ url: `${origin}/a`, title: "Title of /a" }]);
});

test("a page that is gone is an error with its status", async () => {
  await expect(responseClient.action(anyApi.pages.remember, { url: `${origin}/gone` })).rejects.toThrow(/410/);
  expect(await list("pages")).toEqual([]);
});

test("the site lists the titles, oldest first", async () => {
  for (const page of ["one", "two"]) {
    await responseClient.action(anyApi.pages.remember, { url: `${origin}/${page}` });
  }
  const response = await fetch(`${siteUrl}/titles`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual(["Title of /one", "Title of /two"]);
});
