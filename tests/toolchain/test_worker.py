"""The warm bundler dies, hangs and comes back: always ours, never the submission's."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from convex_evals.errors import ToolFailed
from convex_evals.toolchain import Toolchain
from convex_evals.toolchain.worker import Worker
from tests.toolchain.conftest import Prepared

ECHO = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["op"] == "die":
        print("last words", file=sys.stderr, flush=True)
        sys.exit(3)
    if message["op"] == "fail":
        print(json.dumps({"id": message["id"], "failure": "went wrong"}), flush=True)
    if message["op"] == "echo":
        print(json.dumps({"id": message["id"], "result": message["text"]}), flush=True)
"""


@pytest.fixture
async def echo(tmp_path: Path) -> Worker:
    (tmp_path / "echo.py").write_text(ECHO)
    worker = Worker(sys.executable, tmp_path / "echo.py")
    yield worker
    await worker.close()


async def test_answers_find_their_requests(echo: Worker) -> None:
    texts = [f"{number}" * 50_000 for number in range(20)]
    answers = await asyncio.gather(*(echo.request("echo", {"text": text}, seconds=30) for text in texts))
    assert answers == texts


async def test_a_failure_is_a_failed_tool(echo: Worker) -> None:
    with pytest.raises(ToolFailed, match="went wrong"):
        await echo.request("fail", {}, seconds=30)


async def test_death_fails_what_was_under_way_and_the_next_request_finds_a_new_process(echo: Worker) -> None:
    waiting = asyncio.create_task(echo.request("never", {}, seconds=30))
    with pytest.raises(ToolFailed, match="status 3: last words"):
        await echo.request("die", {}, seconds=30)
    with pytest.raises(ToolFailed, match="status 3"):
        await waiting
    assert await echo.request("echo", {"text": "again"}, seconds=30) == "again"


async def test_a_process_that_hangs_is_stopped_and_replaced(echo: Worker) -> None:
    assert await echo.request("echo", {"text": "first"}, seconds=30) == "first"
    before = echo.pid
    with pytest.raises(ToolFailed, match="did not answer `never` in 0 seconds"):
        await echo.request("never", {}, seconds=0.2)
    assert await echo.request("echo", {"text": "again"}, seconds=30) == "again"
    assert echo.pid != before


async def test_the_bundler_comes_back_after_it_was_killed(tools: Toolchain, prepared: Prepared) -> None:
    project = await prepared({"convex/a.ts": "export const x = 1;\n"})
    first = await tools.bundle(project)
    assert tools._worker.pid is not None
    os.kill(tools._worker.pid, signal.SIGKILL)
    for _ in range(2):
        try:
            assert await tools.bundle(project) == first
            break
        except ToolFailed:
            continue  # the request met the dying process
    else:
        pytest.fail("the bundler did not come back")
