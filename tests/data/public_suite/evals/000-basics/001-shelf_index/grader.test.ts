import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = process.env.MODEL_OUTPUT_DIR ?? "";
const schema = readFileSync(join(folder, "convex/schema.ts"), "utf8").replace(/\s+/g, " ");

test("books are indexed by shelf and title", () => {
  expect(schema).toMatch(/\.index\(\s*"by_shelf",\s*\[\s*"shelf",\s*"title",?\s*\],?\s*\)/);
});

test("a borrower is an optional id of people", () => {
  expect(schema).toMatch(/borrower: v\.optional\(v\.id\("people"\)\)/);
});

test("the package depends on convex", () => {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  expect(Object.keys(manifest.dependencies)).toContain("convex");
});
