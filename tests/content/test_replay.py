"""The hand-written replies come out as their README says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from convex_evals.backends.embedded import EmbeddedBackend
from convex_evals.grade import Grader
from convex_evals.parse import parse_reply
from convex_evals.suite import find, load_suite
from convex_evals.toolchain import Toolchain
from convex_evals.types import Reply

FOLDER = Path(__file__).parents[1] / "data" / "replay"
ROW = re.compile(r"^\| (\w+/\w+) \| (passed|failed) \| (\w*) *\|", re.MULTILINE)
ROWS = {name: (outcome, check) for name, outcome, check in ROW.findall((FOLDER / "README.md").read_text("utf-8"))}
SUITE = load_suite()
PLAIN = [name for name in ROWS if not find(SUITE, name).needs]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def grader(tools: Toolchain, backend: EmbeddedBackend) -> AsyncIterator[Grader]:
    yield Grader(tools, backend)


def test_every_reply_is_listed() -> None:
    assert sorted(ROWS) == sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.glob("*/*.md"))


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("name", PLAIN)
async def test_reply_comes_out_as_listed(name: str, grader: Grader) -> None:
    ev = find(SUITE, name)
    submission = parse_reply(Reply((FOLDER / f"{name}.md").read_text("utf-8")), ev.task)
    score = await grader.grade(ev, submission)
    first = "" if score.first_failure is None else score.first_failure.name
    assert ("passed" if score.passed else "failed", first) == ROWS[name]
