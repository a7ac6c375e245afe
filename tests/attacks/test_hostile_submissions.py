"""Acceptance: hostile submissions fail as the model's failure, with a reason, and the next eval is graded as ever."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from convex_evals.grade import Grader, open_grader
from convex_evals.suite import load_suite
from convex_evals.types import Eval, Submission
from convex_evals.workspace import read_folder
from tests.attacks.hostile import Attack, attacks

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOT = Path("/var/tmp/convex-evals-attack")
SECRET = "the secret of another trial"
NAMES = [attack.name for attack in attacks(0)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def grader(cache: Path) -> AsyncIterator[Grader]:
    async with open_grader(cache, Path.home()) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def foreign_port() -> AsyncIterator[int]:
    """A listener on loopback that belongs to nobody's trial."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(SECRET)}\r\n\r\n{SECRET}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture(scope="module")
def victim() -> Eval:
    return next(ev for ev in load_suite().evals if ev.id == "fundamentals/empty_functions")


def sandboxes() -> int:
    """Sandbox processes that descend from this one."""
    return sum("deno" in process.name() for process in psutil.Process().children(recursive=True))


@pytest.mark.parametrize("name", NAMES)
async def test_a_hostile_submission_costs_its_own_trial_only(
    name: str, grader: Grader, victim: Eval, foreign_port: int
) -> None:
    attack: Attack = next(a for a in attacks(foreign_port) if a.name == name)
    answer = read_folder(victim.path / "answer")

    score = await grader.grade(victim, Submission({**answer, **attack.files}))

    first = next(check for check in score.checks if check.status == "fail" and check.name != "typecheck")
    assert not score.passed
    assert first.name == attack.check, first.detail
    assert re.search(attack.reason, first.detail), first.detail
    told = "\n".join(check.detail for check in score.checks)
    assert "root:" not in told
    assert SECRET not in told
    assert "STOLEN {" not in told
    assert not LOOT.exists()
    after = await grader.grade(victim, Submission(answer))
    assert after.passed, after.first_failure
    assert sandboxes() == 0
