"""Hostile projects against what stands around the sandbox: installer, bundler, checker, wire, clients, memory of ours.

Each fails as the model's failure, with a reason, within bounds; and the next project is graded as ever.
"""

from __future__ import annotations

import json
import re
import resource
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from convex_evals.errors import DeployFailed
from convex_evals.grade import Grader, open_grader
from convex_evals.toolchain import codegen
from convex_evals.types import CheckName, Eval, Submission
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


async def test_nothing_is_written_into_packages_that_trials_share(tmp_path: Path) -> None:
    """`node_modules` becomes a link to the cache while the project is prepared."""
    shared, project = tmp_path / "shared", tmp_path / "project"
    (shared / "convex").mkdir(parents=True)
    project.mkdir()
    (project / "convex.json").write_text('{"functions": "node_modules/convex"}')
    with pytest.raises(DeployFailed, match="not a folder of the project"):
        codegen.prepare(project, shared)
    assert list((shared / "convex").iterdir()) == []
