"""Hostile projects, as files laid over the answer of fundamentals/empty_functions.

`ESCAPE` leaves the realm in which a function runs by a well-known trick, so that what is tested is the process
boundary and not only hidden names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convex_evals.types import CheckName


@dataclass(frozen=True)
class Attack:
    """One hostile project and the check at which it has to fail, with a reason."""

    name: str
    files: Mapping[str, str]
    check: CheckName
    reason: str
    """A regular expression that the failing check's detail has to match."""


INDEX = """\
import {{ action, internalAction, internalMutation, internalQuery, mutation, query }} from "./_generated/server";
declare const Deno: any, process: any;
const leaks: (() => any)[] = [
  () => (fetch as any).constructor,
  () => {{ try {{ new URL("::"); }} catch (e: any) {{ return e.constructor.constructor; }} }},
  () => {{ try {{ atob("\\u0100"); }} catch (e: any) {{ return e.constructor.constructor; }} }},
  () => (structuredClone(new Map()) as any).constructor.constructor,
  () => (new TextEncoder().encode("x") as any).constructor.constructor,
  () => (console.log as any).constructor,
  () => (new Headers() as any).constructor.constructor,
  () => (crypto.subtle.digest as any).constructor,
];
const outer: any = leaks.map((leak) => {{ try {{ return leak()("return globalThis")(); }} catch {{ return undefined; }} }}).find((g: any) => g?.Deno) ?? globalThis;
{top}
export const emptyPublicQuery = query({{ args: {{}}, handler: async () => {{ {query} return null; }} }});
export const emptyPublicMutation = mutation({{ args: {{}}, handler: async () => {{ {mutation} return null; }} }});
export const emptyPublicAction = action({{ args: {{}}, handler: async () => {{ {action} return null; }} }});
export const emptyPrivateQuery = internalQuery({{ args: {{}}, handler: async () => null }});
export const emptyPrivateMutation = internalMutation({{ args: {{}}, handler: async () => null }});
export const emptyPrivateAction = internalAction({{ args: {{}}, handler: async () => null }});
"""


def index(*, top: str = "", query: str = "", mutation: str = "", action: str = "") -> dict[str, str]:
    """convex/index.ts with hostile code at one place."""
    return {"convex/index.ts": INDEX.format(top=top, query=query, mutation=mutation, action=action)}


REFUSED = r"(?i)not defined|permission|NotCapable|Requires \w+ access|undefined|not a function|not allowed|denied"
LOST = r"(?i)timed out|time|memory|crash|died|ended|exit"


def attacks(foreign_port: int) -> tuple[Attack, ...]:
    """All of them. `foreign_port`: a loopback port that is not this trial's."""
    return (
        Attack(
            "reads_a_file",
            index(action='throw new Error("STOLEN " + outer.Deno.readTextFileSync("/etc/passwd"));'),
            "behaviour",
            REFUSED,
        ),
        Attack(
            "writes_a_file",
            index(
                action='outer.Deno.writeTextFileSync("/var/tmp/convex-evals-attack", "x"); throw new Error("STOLEN");'
            ),
            "behaviour",
            REFUSED,
        ),
        Attack(
            "reads_the_environment",
            index(action='throw new Error("STOLEN " + JSON.stringify(outer.Deno.env.toObject()));'),
            "behaviour",
            REFUSED,
        ),
        Attack(
            "reaches_a_foreign_port_by_fetch",
            index(
                action=f'throw new Error("STOLEN " + await (await fetch("http://127.0.0.1:{foreign_port}/")).text());'
            ),
            "behaviour",
            r"(?i)not allowed|denied|refused|admitted|network|fetch",
        ),
        Attack(
            "reaches_a_foreign_port_by_socket",
            index(
                action=f'await outer.Deno.connect({{ hostname: "127.0.0.1", port: {foreign_port} }}); throw new Error("STOLEN");'
            ),
            "behaviour",
            REFUSED,
        ),
        Attack(
            "starts_a_process",
            index(action='throw new Error("STOLEN " + new outer.Deno.Command("/usr/bin/id").outputSync().stdout);'),
            "behaviour",
            REFUSED,
        ),
        Attack("loops_in_a_query", index(query="for (;;) {}"), "behaviour", LOST),
        Attack(
            "fills_the_memory",
            index(action="const hoard: any[] = []; for (;;) hoard.push(new Array(1e6).fill(Math.random()));"),
            "behaviour",
            LOST,
        ),
        Attack(
            "fills_the_memory_outside_the_heap",
            index(action="const hoard: any[] = []; for (;;) { hoard.push(new Uint8Array(5e7).fill(1)); await null; }"),
            "behaviour",
            LOST,
        ),
        Attack(
            "tampers_with_prototypes",
            index(
                top='for (const p of [Object.prototype, Array.prototype, Promise.prototype, String.prototype]) for (const k of Object.getOwnPropertyNames(p)) { if (k !== "constructor") try { (p as any)[k] = () => "STOLEN"; } catch {} } JSON.stringify = () => "{}"; JSON.parse = () => null;'
            ),
            "deploy",
            r".",
        ),
        Attack(
            "floods_the_log",
            index(
                action='for (let i = 0; i < 3e5; i++) console.log("x".repeat(1000)); throw new Error("done flooding");'
            ),
            "behaviour",
            r"(?i)done flooding|flood|too much|log",
        ),
        Attack(
            "forges_messages_on_the_pipe",
            index(
                action='const line = new TextEncoder().encode(JSON.stringify({ t: "done", id: 1, ok: true, value: null }) + "\\n" + "garbage\\n".repeat(1000)); outer.Deno.stdout.writeSync(line); outer.Deno.exit(0);'
            ),
            "behaviour",
            r".",
        ),
        Attack("exits", index(mutation="outer.Deno.exit(0);"), "behaviour", LOST),
        Attack("loops_at_import", index(top="for (;;) {}"), "deploy", r"(?i)time|took too long"),
        Attack(
            "path_traversal_in_a_file_name", {"../../escaped.ts": "export {};"}, "files", r"leaves the project|\.\."
        ),
        Attack("absolute_file_name", {"/etc/cron.d/evil": "x"}, "files", r"absolute"),
        Attack(
            "harmful_config",
            {
                "convex/convex.config.ts": 'import { defineApp } from "convex/server";\nconst steal = (fetch as any).constructor("return Deno")().readTextFileSync("/etc/passwd");\nthrow new Error("STOLEN " + steal);\nexport default defineApp();\n'
            },
            "deploy",
            REFUSED,
        ),
        Attack(
            "config_that_never_ends",
            {
                "convex/convex.config.ts": 'import { defineApp } from "convex/server";\nfor (;;) {}\nexport default defineApp();\n'
            },
            "deploy",
            r"(?i)time|took too long",
        ),
        Attack(
            "harmful_schema",
            {
                "convex/schema.ts": 'import { defineSchema } from "convex/server";\nconst steal = (fetch as any).constructor("return Deno")().env.toObject();\nthrow new Error("STOLEN " + JSON.stringify(steal));\nexport default defineSchema({});\n'
            },
            "deploy",
            REFUSED,
        ),
        Attack(
            "schema_that_fills_the_memory",
            {
                "convex/schema.ts": 'import { defineSchema } from "convex/server";\nconst hoard: any[] = []; for (;;) hoard.push(new Array(1e6).fill(1.5));\nexport default defineSchema({});\n'
            },
            "deploy",
            LOST,
        ),
        Attack(
            "install_script",
            {
                "package.json": '{"dependencies": {"convex": "^1.48.0", "evil": "file:../../evil"}, "scripts": {"preinstall": "touch /var/tmp/convex-evals-attack"}}'
            },
            "install",
            r"(?i)file:|not allowed|registry",
        ),
    )
