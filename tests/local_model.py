"""Four evals with a real small language model on loopback: nobody scripted what it says.

    make run-local-model

SmolLM2-135M-Instruct cannot solve the evals, and its score means nothing: what is proven is the plumbing, from real
streaming HTTP to a stored verdict. Ends with exit code 1 when something is not as it has to be.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EVALS = ("fundamentals/empty_functions", "fundamentals/crons", "actions/node_action", "actions/text_in_storage")
MODEL = "openai-api/local/smollm2"


@contextmanager
def served(context: int) -> Iterator[str]:
    """The base URL of the model, served until the block ends."""
    command = [sys.executable, "-m", "tests.local_model_server", "--context", str(context)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            raise SystemExit("the local model did not start")
        try:
            yield url
        finally:
            server.kill()


def run(url: str, out: Path, evals: tuple[str, ...], condition: str) -> tuple[int, list[dict[str, Any]]]:
    """`convex-evals run` against the served model: exit code and stored trials."""
    environment = {**os.environ, "LOCAL_BASE_URL": url, "LOCAL_API_KEY": "no-key-needed"}
    settings = ["-m", MODEL, condition, "--max-tokens", "300", "--out", str(out)]
    command = [sys.executable, "-m", "convex_evals.cli", "run", *evals, *settings]
    done = subprocess.run(command, env=environment, check=False)
    (file,) = out.rglob("trials.jsonl")
    return done.returncode, [json.loads(line) for line in file.read_text().splitlines()]


def check(what: str, holds: bool) -> bool:
    print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
    return holds


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="convex-evals-local-model-") as scratch:
        with served(8192) as url:
            code, trials = run(url, Path(scratch, "without"), EVALS, "--no-guidelines")
        replies = [(trial.get("submission") or {}).get("reply") or {} for trial in trials]
        usages = [reply.get("usage") or {} for reply in replies]
        results = [
            check(f"the run completed with exit code 0 or 1 ({code})", code in (0, 1)),
            check("four trials, none an error", len(trials) == 4 and all(trial["score"] for trial in trials)),
            check("every reply is stored", all(reply.get("text") for reply in replies)),
            check("every reply has its usage", all(usage.get("output_tokens") for usage in usages)),
        ]
        with served(2048) as url:
            code, trials = run(url, Path(scratch, "with"), EVALS[:1], "--guidelines")
        causes = [(trial.get("error") or {}).get("cause") for trial in trials]
        results += [
            check(f"a prompt that overflows the context ends as incomplete, exit code 3 ({code})", code == 3),
            check(f"and is recorded as such ({causes})", causes == ["context_overflow"]),
        ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
