"""What is read from syntax trees."""

from __future__ import annotations

import pytest

from convex_evals.toolchain.syntax import component_name, component_uses, directives, exported_lines


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"use node";\nimport x from "x";', ("use node",)),
        ("/* c */\n// d\n'use strict'\n'use node'\nfoo()", ("use strict", "use node")),
        ('import x from "x";\n"use node";', ()),
        ('// "use node"\nexport {};', ()),
        ('const a = "use node";', ()),
        ("`use node`;", ()),
        ("", ()),
    ],
)
def test_directives(source: str, found: tuple[str, ...]) -> None:
    assert directives(source, "a.ts") == found


def test_exports_in_source_order() -> None:
    source = """\
import { q } from "./q";
const hidden = 1;
const late = 2, early = 3;
export const zed = q(), alpha = q();
export function plain() {}
export async function* generated() {}
export class Thing {}
export enum Color { Red }
export const { one, two: renamed, ...rest } = q();
export const [first, , third = 1] = q();
export { late as exposed, early, q };
export { other, another as moved } from "./other";
export * as everything from "./other";
export * from "./unknown";
export type OnlyType = string;
export interface AlsoType {}
export default hidden;
"""
    assert list(exported_lines(source, "a.ts").items()) == [
        ("exposed", 3),
        ("early", 3),
        ("zed", 4),
        ("alpha", 4),
        ("plain", 5),
        ("generated", 6),
        ("Thing", 7),
        ("Color", 8),
        ("one", 9),
        ("renamed", 9),
        ("rest", 9),
        ("first", 10),
        ("third", 10),
        ("q", 11),
        ("other", 12),
        ("moved", 12),
        ("everything", 13),
        ("default", 17),
    ]


def test_tsx_and_type_assertions_are_each_parsed_in_their_own_language() -> None:
    assert exported_lines("export const a = <string>b;\nexport const c = 1;", "a.ts") == {"a": 1, "c": 2}
    assert exported_lines("export const A = () => <b>{1}</b>;\nexport const c = 1;", "a.tsx") == {"A": 1, "c": 2}


def test_component_uses() -> None:
    source = """\
import { defineApp } from "convex/server";
import counter from "./counter/convex.config";
import { default as tally } from "@example/tally/convex.config.js";
const app = defineApp();
app.use(counter);
app.use(counter, { httpPrefix: "/x", name: "second" });
app.use(tally, {});
app.use(unknown);
other(counter);
export default app;
"""
    assert component_uses(source, "convex.config.ts") == (
        ("./counter/convex.config", None),
        ("./counter/convex.config", "second"),
        ("@example/tally/convex.config.js", None),
    )


def test_component_names() -> None:
    assert component_name('export default defineComponent("counter", { env: {} });', "convex.config.ts") == "counter"
    assert component_name("export default 1;", "convex.config.ts") is None
