"""The lint rules that count, as data: each with its reason, a program that it fails and one that it passes.

A rule is here only if what it finds breaks in production although it deploys and type-checks; matters of taste are not.
The tests and the documentation's table are made from this same data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LintRule:
    """One rule: of the type-aware linter ("typescript/…"), or our own on the syntax tree ("convex/…")."""

    id: str
    """As shown in findings: "typescript/no-floating-promises"."""
    why: str
    """What breaks, in one sentence."""
    fails: str
    """A module in convex/ that deploys and type-checks, breaks, and has exactly this finding."""
    passes: str
    """The same module, mended."""
    options: Any = None
    """JSON as the rule takes it, None for its defaults."""

    @property
    def typed_name(self) -> str | None:
        """What the type-aware linter calls it, None for a rule of our own."""
        return self.id.removeprefix("typescript/") if self.id.startswith("typescript/") else None


_TABLE_HEAD = 'import { action, mutation } from "./_generated/server";\nimport { v } from "convex/values";\n'

NO_OUTSIDE_CALLS = "convex/no-fetch-or-timers-in-transactions"

RULES: tuple[LintRule, ...] = (
    LintRule(
        id="typescript/no-floating-promises",
        why="A write that is not awaited may not happen: the function ends before it, and its error is lost.",
        fails=_TABLE_HEAD
        + """export const send = mutation({
  args: { body: v.string() },
  handler: async (ctx, { body }) => {
    ctx.db.insert("messages", { body });
  },
});
""",
        passes=_TABLE_HEAD
        + """export const send = mutation({
  args: { body: v.string() },
  handler: async (ctx, { body }) => {
    await ctx.db.insert("messages", { body });
  },
});
""",
    ),
    LintRule(
        id="typescript/no-misused-promises",
        why="forEach drops the promises of an async callback, and a promise as a condition is always true.",
        fails=_TABLE_HEAD
        + """export const clear = mutation({
  args: {},
  handler: async (ctx) => {
    const all = await ctx.db.query("messages").collect();
    all.forEach(async (message) => {
      await ctx.db.delete(message._id);
    });
  },
});
""",
        passes=_TABLE_HEAD
        + """export const clear = mutation({
  args: {},
  handler: async (ctx) => {
    const all = await ctx.db.query("messages").collect();
    for (const message of all) {
      await ctx.db.delete(message._id);
    }
  },
});
""",
        options={
            "checksConditionals": True,
            "checksSpreads": True,
            # An event handler of React may be async; so may a method that an interface declares as void.
            "checksVoidReturn": {
                "arguments": True,
                "attributes": False,
                "inheritedMethods": False,
                "properties": False,
                "returns": False,
                "variables": False,
            },
        },
    ),
    LintRule(
        id="typescript/return-await",
        why="A promise that is returned from `try` without await rejects outside of it: the catch block never runs.",
        fails=_TABLE_HEAD
        + """const load = async (url: string) => (await fetch(url)).text();
export const page = action({
  args: { url: v.string() },
  handler: async (_ctx, { url }) => {
    try {
      return load(url);
    } catch {
      return null;
    }
  },
});
""",
        passes=_TABLE_HEAD
        + """const load = async (url: string) => (await fetch(url)).text();
export const page = action({
  args: { url: v.string() },
  handler: async (_ctx, { url }) => {
    try {
      return await load(url);
    } catch {
      return null;
    }
  },
});
""",
        options="error-handling-correctness-only",
    ),
    LintRule(
        id=NO_OUTSIDE_CALLS,
        why="Queries and mutations are transactions: calling fetch, setTimeout or setInterval in one throws.",
        fails=_TABLE_HEAD
        + """export const rate = mutation({
  args: { url: v.string() },
  handler: async (ctx, { url }) => {
    const response = await fetch(url);
    await ctx.db.insert("messages", { body: await response.text() });
  },
});
""",
        passes=_TABLE_HEAD
        + """export const rate = action({
  args: { url: v.string() },
  handler: async (_ctx, { url }) => {
    const response = await fetch(url);
    return await response.text();
  },
});
""",
    ),
)
