"""Graders of public suites, without a backend: the copy of the suite, the report, ports, crashes and hangs."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from convex_evals.errors import SetupError
from convex_evals.graders import vitest
from convex_evals.graders.grading import Materials
from convex_evals.graders.processes import end_group
from convex_evals.graders.python import GraderRun
from convex_evals.graders.vitest import Vitest
from convex_evals.graders.vitest_ports import port_reports
from convex_evals.graders.vitest_report import FILE_TEST, read_report
from convex_evals.toolchain import Toolchain
from convex_evals.types import Deployment, Eval, Project

SUITE = Path(__file__).parents[1] / "data" / "public_suite"
STATIC = SUITE / "evals" / "000-basics" / "001-shelf_index"


@dataclass
class Address:
    """A deployment that is only an address: what a static eval needs."""

    url: str = "http://127.0.0.1:4001"
    site_url: str = "http://127.0.0.1:4002"
    admin_key: str = "key"
    admitted: list[tuple[str, int]] = field(default_factory=list)

    def allow(self, host: str, port: int) -> None:
        self.admitted.append((host, port))

    async def close(self) -> None:
        return


def public_eval(folder: Path, *tags: str) -> Eval:
    name = f"{folder.parent.name}/{folder.name}"
    return Eval(name, folder.parent.name, folder.name, folder, "task", layout="public", tags=tags)


async def grade(
    tools: Toolchain, folder: Path, submission: Path, scratch: Path, deployment: Deployment | None = None
) -> GraderRun:
    response = deployment or Address()

    async def answer() -> Deployment:
        return Address("http://127.0.0.1:4003")

    materials = Materials(public_eval(folder, "static"), Project(submission), {}, response, answer, tools)
    return await Vitest(tools, scratch / "suites").run(materials)


def suite(folder: Path, grader: str, files: Mapping[str, str] | None = None) -> Path:
    """A suite of one eval with this grader; gives the eval's folder."""
    home = folder / "suite" / "evals" / "001-cat" / "002-one"
    home.mkdir(parents=True)
    shutil.copy(SUITE / "package.json", folder / "suite")
    (home / "grader.test.ts").write_text(grader)
    for path, text in (files or {}).items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    return home


async def test_a_grader_runs_unchanged_on_files(own_tools: Toolchain, tmp_path: Path) -> None:
    run = await grade(own_tools, STATIC, STATIC / "answer", tmp_path)
    assert {name: test.status for name, test in run.tests.items()} == {
        "books are indexed by shelf and title": "pass",
        "a borrower is an optional id of people": "pass",
        "the package depends on convex": "pass",
    }
    assert run.not_assertions == {}
    assert not (SUITE / "node_modules").exists(), "the suite itself is left as it is"


async def test_a_wrong_submission_fails_where_it_is_wrong(own_tools: Toolchain, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    shutil.copytree(STATIC / "answer", wrong)
    schema = wrong / "convex" / "schema.ts"
    schema.write_text(schema.read_text().replace('["shelf", "title"]', '["shelf"]'))
    run = await grade(own_tools, STATIC, wrong, tmp_path)
    statuses = [test.status for test in run.tests.values()]
    assert statuses == ["fail", "pass", "pass"]
    message = run.tests["books are indexed by shelf and title"].message
    assert "expected" in message
    assert "\x1b" not in message
    assert str(tmp_path) not in message


async def test_a_grader_that_does_not_load_is_a_suspect(own_tools: Toolchain, tmp_path: Path) -> None:
    run = await grade(own_tools, STATIC, tmp_path, tmp_path)
    assert run.tests.keys() == run.not_assertions.keys() == {FILE_TEST}
    assert "convex/schema.ts" in run.tests[FILE_TEST].message


ENVIRONMENT = """import { expect, test } from "vitest";
import { helper } from "../../../helper";
import { api } from "./answer/convex/_generated/api";
import { createServer } from "node:http";
test("environment", () => { throw new Error(Object.keys(process.env).sort().join(" ")); });
test("helper and generated code", () => { expect(helper(String(api !== undefined))).toBe("true!"); });
test.skip("skipped", () => {});
test("ports", () => {
  expect([process.env.CONVEX_PORT, process.env.CONVEX_SITE_PORT, process.env.CONVEX_ANSWER_PORT]).toEqual(
    ["4001", "4002", "4001"]);
});
test("open a port", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
  const { port } = server.address() as any;
  await new Promise((done) => server.close(done));
  throw new Error(`port ${port}.`);
});
"""


async def test_what_a_grader_gets(own_tools: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_API_KEY", "never")
    home = suite(tmp_path, ENVIRONMENT, {"answer/convex/a.ts": "export const a = 1;", "answer/package.json": "{}"})
    (tmp_path / "suite" / "helper.ts").write_text("export const helper = (text: string) => `${text}!`;")
    deployment = Address()
    run = await grade(own_tools, home, tmp_path, tmp_path, deployment)
    assert {name: test.status for name, test in run.tests.items()} == {
        "environment": "fail",
        "helper and generated code": "pass",
        "skipped": "skip",
        "ports": "pass",
        "open a port": "fail",
    }
    assert "SECRET_API_KEY" not in run.tests["environment"].message
    assert "MODEL_OUTPUT_DIR" in run.tests["environment"].message
    ports = {port for _, port in deployment.admitted}
    assert any(f"port {port}." in run.tests["open a port"].message for port in ports), (ports, run)
    assert {host for host, _ in deployment.admitted} == {"127.0.0.1", "localhost"}


async def test_a_hook_that_fails_after_green_tests_is_a_failure(own_tools: Toolchain, tmp_path: Path) -> None:
    grader = """import { afterAll, test } from "vitest";
    test("fine", () => {});
    afterAll(() => { throw new Error("in the hook"); });"""
    run = await grade(own_tools, suite(tmp_path, grader), tmp_path, tmp_path)
    assert run.tests["fine"].status == "pass"
    assert run.tests[FILE_TEST].status == "fail"
    assert "in the hook" in run.not_assertions[FILE_TEST]


async def test_a_grader_whose_process_ends_is_a_suspect(own_tools: Toolchain, tmp_path: Path) -> None:
    grader = """import { test } from "vitest"; test("dies", () => { process.kill(process.pid, "SIGKILL"); });"""
    run = await grade(own_tools, suite(tmp_path, grader), tmp_path, tmp_path)
    assert FILE_TEST in run.not_assertions, run
    assert run.tests[FILE_TEST].status == "fail"


async def test_a_grader_that_hangs_is_killed_with_its_children(
    own_tools: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitest, "RUN_SECONDS", 6.0)
    file = tmp_path / "pid"
    grader = f"""import {{ writeFileSync }} from "node:fs"; import {{ spawn }} from "node:child_process";
    import {{ test }} from "vitest";
    test("hangs", () => {{
      writeFileSync({json.dumps(str(file))}, String(spawn("sleep", ["1000"]).pid)); for (;;);
    }});"""
    run = await grade(own_tools, suite(tmp_path, grader), tmp_path, tmp_path)
    assert "not finish within 6 s" in run.tests[FILE_TEST].message
    process = Path(f"/proc/{file.read_text()}/cmdline")
    assert not process.exists() or b"sleep" not in process.read_bytes()


async def test_a_suite_without_vitest_says_what_is_missing(own_tools: Toolchain, tmp_path: Path) -> None:
    home = suite(tmp_path, "")
    (tmp_path / "suite" / "package.json").write_text('{"dependencies": {"convex": "1.48.0"}}')
    with pytest.raises(SetupError, match="does not declare vitest"):
        await grade(own_tools, home, tmp_path, tmp_path)
    (tmp_path / "suite" / "package.json").write_text('{"dependencies": {"vitest": "file:../x"}}')
    with pytest.raises(SetupError, match=r"package\.json.*vitest"):
        await grade(own_tools, home, tmp_path, tmp_path)


async def test_a_port_is_admitted_before_the_grader_hears_of_it(own_tools: Toolchain, tmp_path: Path) -> None:
    admitted: list[int] = []
    script = """import net from "node:net";
    const server = net.createServer();
    server.listen(0, "127.0.0.1", () => { console.log(server.address().port); server.close(); });
    net.createServer().listen(process.env.PIPE, function () { this.close(); });"""
    async with port_reports(admitted.append) as reports:
        process = await asyncio.create_subprocess_exec(
            str(own_tools.node),
            f"--import={vitest.PRELOAD.as_uri()}",
            "--input-type=module",
            f"--eval={script}",
            env={"CONVEX_EVALS_PORTS": str(reports), "PIPE": str(tmp_path / "pipe")},
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        assert admitted == [port]
        assert await process.wait() == 0
        await end_group(process)


STACK = """\x1b[31mno\x1b[0m
    at evals/x/grader.test.ts:3:1
    at run (file:///cache/node_modules/@vitest/runner/dist/index.js:1:2)
    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)"""


def test_a_report_names_tests_once_and_shows_the_grader_s_own_lines() -> None:
    results = [
        {"fullName": "a", "status": "passed", "duration": 1500},
        {"fullName": "a", "status": "failed", "failureMessages": [STACK]},
        {"fullName": "b", "status": "todo"},
    ]
    run = read_report(
        json.dumps({"success": False, "testResults": [{"assertionResults": results, "message": ""}]}), 1, ""
    )
    assert {name: (test.status, test.message, test.seconds) for name, test in run.tests.items()} == {
        "a": ("pass", "", 1.5),
        "a (2)": ("fail", "no\n    at evals/x/grader.test.ts:3:1", 0.0),
        "b": ("skip", "", 0.0),
    }
    assert run.not_assertions == {}


def test_a_test_out_of_time_says_so() -> None:
    results = [{"fullName": "a", "status": "failed", "failureMessages": ["Error: STACK_TRACE_ERROR\n    at a.ts:1:1"]}]
    run = read_report(json.dumps({"testResults": [{"assertionResults": results}]}), 1, "")
    assert "did not finish within vitest's time limit" in run.tests["a"].message


@pytest.mark.parametrize("text", ["", "{", json.dumps({"success": False, "testResults": []})])
def test_a_report_without_tests_is_a_suspect(text: str) -> None:
    run = read_report(text, 1, "what it said")
    assert "what it said" in run.not_assertions[FILE_TEST]
