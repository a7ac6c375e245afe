"""The rule of our own: what it sees, and what it leaves alone."""

from __future__ import annotations

import pytest

from convex_evals.toolchain.transactions import outside_calls

IMPORT = 'import { query, internalMutation as im, action } from "./_generated/server";\n'


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("export const a = query(async () => await fetch('x'));", [(2, 42, "fetch")]),
        ("export const a = im({ handler: async () => { setTimeout(() => {}, 1); } });", [(2, 46, "setTimeout")]),
        (
            "const é = 'ü'; export const a = query(() => { fetch(é); setInterval(f); });",
            [(2, 47, "fetch"), (2, 57, "setInterval")],
        ),
        ("export const a = action(async () => await fetch('x'));", []),
        ("const load = () => fetch('x'); export const a = query(() => 1);", []),
        ("const fetch = (x: string) => x; export const a = query(() => fetch('x'));", []),
        ("import { fetch } from './mine'; export const a = query(() => fetch('x'));", []),
        ("export const a = query(async (ctx, { fetch }) => fetch('x'));", []),
        ("export const a = query(async (ctx) => ctx.fetch('x'));", []),
        ("export const a = query(async () => 'fetch(1)');", []),
        ("const request = fetch; export const a = query(() => fetch('x'));", [(2, 53, "fetch")]),
    ],
)
def test_calls(source: str, found: list[tuple[int, int, str]]) -> None:
    assert list(outside_calls(IMPORT + source, "a.ts")) == found


def test_a_query_of_another_library_is_none_of_our_business() -> None:
    assert outside_calls('import { query } from "./database";\nquery(() => fetch("x"));', "a.ts") == ()


@pytest.mark.parametrize("opening", ["query(", "[", "(", "{"])
def test_deep_nesting_is_no_way_to_break_or_stall_us(opening: str) -> None:
    source = IMPORT + "// fetch\n" + opening * 20_000
    assert isinstance(outside_calls(source, "a.ts"), tuple)
