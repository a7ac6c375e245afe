"""What Vitest's JSON report says, as test results. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from convex_evals.graders.python import MESSAGE_CHARACTERS, GraderRun
from convex_evals.types import Status, TestResult

FILE_TEST = "grader.test.ts"
"""Stands for the file as a whole when it does not load, a hook of it fails, or its process ends early."""

_STATUS: Mapping[str, Status] = {"passed": "pass", "failed": "fail"}
_TIMED_OUT = "Error: STACK_TRACE_ERROR"
"""What vitest puts into its JSON report for a test that ran out of time."""
_FOREIGN_FRAME = re.compile(r"\s+at .*(/node_modules/|node:)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def broken_run(why: str) -> GraderRun:
    """A run that gave no report."""
    message = _plain(why)[-MESSAGE_CHARACTERS:]
    return GraderRun({FILE_TEST: TestResult("fail", message)}, {FILE_TEST: message})


def read_report(text: str, exit_status: int, output: str) -> GraderRun:
    """Test results of a JSON report. Whatever failed outside of a test stands as a test of the file's name, and among
    `not_assertions`: only the answer tells whether the grader or the submission is at fault."""
    try:
        report = json.loads(text)
    except ValueError:
        return broken_run(f"vitest wrote no report; it said: {output}")
    tests: dict[str, TestResult] = {}
    outside = []
    for file in report.get("testResults", ()):
        for result in file.get("assertionResults", ()):
            tests[_unique(str(result.get("fullName") or result.get("title")), tests)] = _test(result)
        if file.get("message"):
            outside.append(_plain(str(file["message"])))
    failed = any(test.status == "fail" for test in tests.values())
    # A worker that was killed leaves its tests pending in a report of success: the exit status tells.
    if not outside and not failed and (exit_status != 0 or not report.get("success") or not tests):
        outside.append(f"vitest ended with status {exit_status} and no test failed; it said: {output}")
    if not outside:
        return GraderRun(tests)
    broken = broken_run("\n".join(outside))
    return GraderRun({**tests, **broken.tests}, broken.not_assertions)


def _test(result: Mapping[str, Any]) -> TestResult:
    message = _plain("\n".join(result.get("failureMessages") or ()))[:MESSAGE_CHARACTERS]
    seconds = float(result.get("duration") or 0.0) / 1000
    return TestResult(_STATUS.get(str(result.get("status")), "skip"), message, seconds)


def _plain(text: str) -> str:
    """Without colours and without stack lines that lie in a package or in Node."""
    text = _COLOURS.sub("", text).replace(_TIMED_OUT, "Error: the test did not finish within vitest's time limit")
    return "\n".join(line for line in text.splitlines() if not _FOREIGN_FRAME.match(line))


def _unique(name: str, taken: Mapping[str, TestResult]) -> str:
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name} ({number})"
    return unique
