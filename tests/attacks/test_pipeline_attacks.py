"""Hostile projects against what stands around the sandbox: installer, bundler, checker, wire, clients, memory of ours.

Each fails as the model's failure, with a reason, within bounds; and the next project is graded as ever.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psutil
import pytest
import pytest_asyncio

from convex_embedded.store import StoreError
from convex_embedded.store.expressions import compile_filter
from convex_embedded.store.validators import check
from convex_evals.errors import DeployFailed
from convex_evals.grade import Grader, open_grader
from convex_evals.toolchain import Bundle, Toolchain, codegen
from convex_evals.types import CheckName, Eval, Project, Submission
from tests.attacks.probe import ESCAPE, PACKAGE, answer, crons, index, probe, site

pytestmark = pytest.mark.asyncio(loop_scope="session")

GROWTH_BYTES = 1200 * 2**20
"""What this process may grow by while it grades one project, whatever that does."""
FORGED_HEADERS = """
const said = new TextEncoder();
for (let call = 0; call < 60; call++) {
  const answer = JSON.stringify({ status: 200, headers: [["x\\u0100", "y"], ["a b", "c"], ["", "d"]], body: "b2s=" });
  Deno.stdout.writeSync(said.encode(`H${call}\\t${answer}\\n`));
}
return new Response("ok");
"""


FORGED_VARIABLE = ["a", {"type": "value", "value": "[" * 5000}]
FORGED_DEFINITION = {"childComponents": [], "httpMounts": {}, "envVars": [FORGED_VARIABLE]}
FORGED_ANALYSIS = json.dumps(
    [{"path": "", "schema": None, "functions": {}, "routes": None, "crons": None, "definition": FORGED_DEFINITION}]
)
FORGED_LINE = f"A\t{FORGED_ANALYSIS}\n"


def package(**fields: object) -> dict[str, str]:
    return {"package.json": json.dumps({**json.loads(PACKAGE), **fields})}


@dataclass(frozen=True)
class Attack:
    """Files over the answer; the check that has to fail, and what it has to say."""

    files: Mapping[str, str]
    check: CheckName
    reason: str


ATTACKS: Mapping[str, Attack] = {
    "package_json_nested": Attack({"package.json": "[" * 100_000}, "install", "not valid JSON"),
    "package_without_a_name": Attack(package(dependencies={"convex": "1.48.0", "": "1.0.0"}), "install", "without a"),
    "convex_json_nested": Attack({"convex.json": "[" * 100_000}, "deploy", "not a JSON object"),
    "functions_folder_no_unicode": Attack({"convex.json": '{"functions": "\\ud800"}'}, "deploy", "not a folder"),
    "functions_folder_too_long": Attack({"convex.json": json.dumps({"functions": "x" * 5000})}, "deploy", "not a fold"),
    "functions_in_shared_packages": Attack(
        {"convex.json": '{"functions": "node_modules/convex"}'}, "deploy", "not a folder of the project"
    ),
    "reads_a_file_as_wasm": Attack(
        {
            **package(browser={"./convex/x.wasm": "../../../../../../../etc/hostname"}),
            "convex/x.wasm": "AA",
            "convex/steal.ts": 'import x from "./x.wasm";\nexport const y = x;\n',
        },
        "deploy",
        "outside of the project",
    ),
    "header_of_control_characters": Attack(
        site('return new Response("ok", { headers: { "content-type": "application/\\u0001" } });'),
        "behaviour",
        "invalid header",
    ),
    "header_larger_than_clients_take": Attack(
        site('return new Response("ok", { headers: { x: "y".repeat(100_000) } });'), "behaviour", "more than 8000"
    ),
    "headers_forged_on_the_pipe": Attack(site(FORGED_HEADERS, ESCAPE), "behaviour", "invalid header"),
    "a_thousand_timers": Attack(
        crons('for (let i = 0; i < 5000; i++) crons.interval("x" + i, { seconds: 1 }, internal.index.im, {});'),
        "deploy",
        "at most 1000 cron jobs",
    ),
    "analysis_forged_on_the_pipe": Attack(
        index(top=f"{ESCAPE}\nDeno.stdout.writeSync(new TextEncoder().encode({json.dumps(FORGED_LINE)}));"),
        "deploy",
        "validator that can not be read",
    ),
    "declares_too_much": Attack(
        {
            "convex/schema.ts": 'import { defineSchema, defineTable } from "convex/server";\n'
            'import { v } from "convex/values";\n'
            "const tables: any = { notes: defineTable({ text: v.string() }) };\n"
            "for (let i = 0; i < 5000; i++)"
            ' tables["t" + i] = defineTable({ f: v.union(...[..."0123456789".repeat(9)].map((c) => v.literal(c))) });\n'
            "export default defineSchema(tables);\n"
        },
        "deploy",
        "more than the 8 MiB",
    ),
    "two_hundred_packages": Attack(
        package(dependencies={"convex": "^1.48.0", **{f"not-there-{i}": "1.0.0" for i in range(300)}}),
        "install",
        "more than the 200",
    ),
    "asks_for_more_than_it_reads": Attack(
        index(
            action="const id = await ctx.storage.store(new Blob([new Uint8Array(10e6)]));"
            " await Promise.all(Array.from({ length: 200 }, () => ctx.storage.get(id))); return null;"
        ),
        "behaviour",
        "out of memory",
    ),
}


def peak_bytes() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def grader(cache: Path) -> AsyncIterator[Grader]:
    async with open_grader(cache, Path.home()) as opened:
        yield opened


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Eval:
    return probe(tmp_path_factory.mktemp("suite"))


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_hostile_project_fails_for_a_reason(name: str, grader: Grader, victim: Eval) -> None:
    attack = ATTACKS[name]
    before = peak_bytes()

    score = await grader.grade(victim, Submission({**answer(), **attack.files}))

    first = next(check for check in score.checks if check.status == "fail" and check.name != "typecheck")
    assert not score.passed
    assert first.name == attack.check, first.detail
    assert re.search(attack.reason, first.detail), first.detail
    assert peak_bytes() - before < GROWTH_BYTES


async def test_the_probe_itself_passes_afterwards(grader: Grader, victim: Eval) -> None:
    score = await grader.grade(victim, Submission(dict(answer())))
    assert score.passed, score.first_failure


async def bundled(tools: Toolchain, folder: Path, text: str) -> Bundle:
    (folder / "convex").mkdir(parents=True, exist_ok=True)
    (folder / "convex" / "deep.ts").write_text(text)
    project = Project(folder)
    await tools.prepare(project)
    return await tools.bundle(project)


async def test_code_that_crashes_the_bundler_costs_its_own_trial_only(tools: Toolchain, tmp_path: Path) -> None:
    """esbuild's stack overflows; its library then answers every later request with an error of its own."""
    with pytest.raises(DeployFailed, match="crashes or hangs"):
        await bundled(tools, tmp_path / "deep", "export const x: any = " + "[" * 240_000 + "]" * 240_000 + ";\n")
    assert (await bundled(tools, tmp_path / "plain", "export const x = 1;\n")).app.modules


async def test_unions_and_filters_are_bounded_on_our_clock() -> None:
    """Validators and filters of generated code are evaluated on the one thread that serves all trials."""
    started = perf_counter()
    members = [
        {"type": "object", "value": {f"k{i}": {"fieldType": {"type": "string"}, "optional": False}}}
        for i in range(3000)
    ]
    assert "does not match" in str(
        check({"type": "union", "value": members}, {"a": "x" * 8_000_000}, lambda text: None)
    )
    many = {"type": "array", "value": {"type": "union", "value": [*[{"type": "null"}] * 5000, {"type": "number"}]}}
    with pytest.raises(StoreError, match="too large to be checked"):
        check(many, [1.0] * 8000, lambda text: None)
    passes = compile_filter({"$and": [{"$literal": True}] * 100_000})
    with pytest.raises(StoreError, match="filter expression is too large"):
        all(passes({}) for _ in range(32_000))
    assert perf_counter() - started < 20


async def test_a_deployment_that_is_cancelled_while_it_starts_leaves_nothing(
    grader: Grader, victim: Eval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of a grading: no process, no port, no folder."""
    me = psutil.Process()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    hung = index(action="await new Promise((done) => setTimeout(done, 60_000)); return null;")
    slow = index(top="const until = Date.now() + 60_000; for (let i = 0; i < 1e12 && Date.now() < until; i++);")
    for files, seconds in ((hung, 1.0), (slow, 0.5)):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(grader.grade(victim, Submission({**answer(), **files})), seconds)
        assert not [child for child in me.children(recursive=True) if "deno" in child.name()]
        assert not [one for one in me.net_connections("inet") if one.status == psutil.CONN_LISTEN]
        assert not list(tmp_path.iterdir())


async def test_nothing_is_written_into_packages_that_trials_share(tmp_path: Path) -> None:
    """`node_modules` becomes a link to the cache while the project is prepared."""
    shared, project = tmp_path / "shared", tmp_path / "project"
    (shared / "convex").mkdir(parents=True)
    project.mkdir()
    (project / "convex.json").write_text('{"functions": "node_modules/convex"}')
    with pytest.raises(DeployFailed, match="not a folder of the project"):
        codegen.prepare(project, shared)
    assert list((shared / "convex").iterdir()) == []
