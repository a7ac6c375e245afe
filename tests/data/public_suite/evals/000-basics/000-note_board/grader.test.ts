import { beforeEach, describe, expect, test } from "vitest";
import { anyApi } from "convex/server";
import { ConvexError } from "convex/values";
import {
  asUser,
  clear,
  compareFunctionSpec,
  compareSchema,
  insert,
  list,
  responseAdminClient,
  responseClient,
} from "../../../grader";
import { api, internal } from "./answer/convex/_generated/api";

beforeEach(async () => {
  await clear("notes");
});

test("the schema is the one asked for", compareSchema);

test("the functions are the ones asked for", compareFunctionSpec);

describe("notes", () => {
  test("a user sees their own, newest first", async () => {
    const ada = asUser("ada");
    const bob = asUser("bob");
    await ada.mutation(api.notes.add, { text: "first" });
    await bob.mutation(api.notes.add, { text: "other" });
    await ada.mutation(api.notes.add, { text: "second" });
    expect(await ada.query(api.notes.mine, {})).toEqual(["second", "first"]);
    expect(await responseClient.query(api.notes.mine, {})).toEqual([]);
  });

  test("nobody cannot add", async () => {
    const failure = await responseClient.mutation(api.notes.add, { text: "x" }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConvexError);
    expect((failure as ConvexError<any>).data).toEqual({ code: "unauthenticated" });
    expect(await list("notes")).toEqual([]);
  });

  test("pinning", async () => {
    const id = await asUser("ada").mutation(api.notes.add, { text: "x" });
    expect(await responseClient.mutation(api.notes.pin, { id })).toBeNull();
    expect(await list("notes")).toMatchObject([{ text: "x", author: "ada", pinned: true }]);
    await expect(responseClient.mutation(api.notes.pin, { id: "nonsense" as any })).rejects.toThrow(
      /ArgumentValidationError/,
    );
  });

  test("only the backend counts", async () => {
    await insert("notes", [
      { author: "a", text: "1", pinned: false },
      { author: "b", text: "2", pinned: true },
    ]);
    expect(await responseAdminClient.query(internal.notes.count, {})).toBe(2);
    await expect(responseClient.query(anyApi.notes.count, {})).rejects.toThrow(/Could not find public function/);
  });

  test("a subscription sees a new note", async () => {
    const ada = asUser("ada");
    const seen: string[][] = [];
    const stop = ada.onUpdate(api.notes.mine, {}, (texts: string[]) => seen.push(texts));
    await expect.poll(() => seen.at(-1)).toEqual([]);
    await ada.mutation(api.notes.add, { text: "live" });
    await expect.poll(() => seen.at(-1)).toEqual(["live"]);
    stop();
  });
});
