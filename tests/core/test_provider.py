"""Real HTTP to a local server with faults: each is told apart by its kind and asked for exactly once an attempt."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from convex_evals.errors import (
    ContextOverflow,
    ProviderRefused,
    ProviderUnavailable,
    SetupError,
    TrialFailed,
    UsageError,
)
from convex_evals.harness.prices import Price, Prices
from convex_evals.harness.provider import ProviderBusy, Settings, connect
from convex_evals.types import Eval, Message, Usage

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from openai_server import Say, openai_server

# Inspect 0.3.285 uses a parameter that tenacity is about to rename.
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter:DeprecationWarning")

EV = Eval("queries/a", "queries", "a", Path("x"), "task")
PROMPT = (Message("system", "frame"), Message("user", "task"))
PRICES = Prices({"openai-api/local/tiny": Price(1.0, 10.0, 0.5, "here", "2026-11-22")})


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "k")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_reply_with_its_usage_cost_and_times(stream: bool) -> None:
    with openai_server(lambda prompt, n: Say("hello " * 100)) as server:
        settings = Settings(max_tokens=77, temperature=0.5, stream=stream, base_url=server.url)
        provider = connect("openai-api/local/tiny", settings, PRICES)
        reply = await provider.generate(EV, PROMPT, 1)
        await provider.close()
    assert (reply.text, reply.stop) == ("hello " * 100, "stop")
    assert reply.usage == Usage(input_tokens=100, output_tokens=20, cached_tokens=40, reasoning_tokens=None)
    assert reply.cost_usd == pytest.approx((60 * 1.0 + 40 * 0.5 + 20 * 10.0) / 1e6)
    assert reply.seconds is not None
    assert (reply.first_token_seconds is not None) == stream
    body = server.bodies[0]
    assert (body.get("stream", False), body["max_tokens"], body["temperature"]) == (stream, 77, 0.5)
    assert [message["content"] for message in body["messages"]] == ["frame", "task"]


async def test_length_and_refusal_are_replies() -> None:
    with openai_server(lambda prompt, n: Say("cut", finish=["length", "content_filter"][n - 1])) as server:
        provider = connect("openai-api/local/tiny", Settings(base_url=server.url), Prices({}))
        first, second = [await provider.generate(EV, PROMPT, 1) for _ in range(2)]
        await provider.close()
    assert (first.stop, second.stop) == ("length", "refused")
    assert first.cost_usd is None


FAULTS: dict[str, tuple[Say, type[TrialFailed]]] = {
    "rate limit": (Say(status=429, error={"message": "slow", "code": "rate_limit_exceeded"}), ProviderUnavailable),
    "rate limit, told when": (Say(status=429, headers={"retry-after": "7"}), ProviderBusy),
    "no quota": (Say(status=429, error={"message": "pay", "code": "insufficient_quota"}), ProviderRefused),
    "server error": (Say(status=500), ProviderUnavailable),
    "overloaded": (Say(status=503), ProviderUnavailable),
    "bad key": (Say(status=401, error={"message": "key", "code": "invalid_api_key"}), ProviderRefused),
    "unknown model": (Say(status=404, error={"message": "none", "code": "model_not_found"}), ProviderRefused),
    "bad request": (Say(status=400, error={"message": "no such field"}), ProviderRefused),
    "overflow of OpenAI": (
        Say(status=400, error={"message": "too long", "code": "context_length_exceeded"}),
        ContextOverflow,
    ),
    "overflow of llama.cpp": (
        Say(status=400, error={"message": "too long", "code": 400, "type": "exceed_context_size_error"}),
        ContextOverflow,
    ),
    "no finish reason": (Say("half", finish=None), ProviderUnavailable),
    "connection cut": (Say("half " * 200, cut_after=200), ProviderUnavailable),
    "no JSON": (Say(raw="<html>busy</html>"), ProviderUnavailable),
    "empty choices": (Say(raw='{"id": "c", "object": "chat.completion", "choices": []}'), ProviderUnavailable),
    "null choices": (Say(raw='{"id": "c", "object": "chat.completion", "choices": null}'), ProviderUnavailable),
    "not an object": (Say(raw='"hello"'), ProviderUnavailable),
    "empty stream": (Say(raw="data: [DONE]\n\n"), ProviderUnavailable),
}


@pytest.mark.parametrize(
    ("fault", "stream"), [(f, s) for f in FAULTS for s in (True, False) if s or f != "connection cut"]
)
async def test_faults(fault: str, stream: bool) -> None:
    say, kind = FAULTS[fault]
    with openai_server(lambda prompt, n: say) as server:
        provider = connect("openai-api/local/tiny", Settings(stream=stream, base_url=server.url), PRICES)
        with pytest.raises(TrialFailed) as caught:
            await provider.generate(EV, PROMPT, 1)
        await provider.close()
    assert type(caught.value) is kind, caught.value
    assert len(server.prompts) == 1


async def test_nobody_there_is_unavailable() -> None:
    with openai_server(lambda prompt, n: Say()) as server:
        url = server.url
    provider = connect("openai-api/local/tiny", Settings(base_url=url), PRICES)
    with pytest.raises(ProviderUnavailable):
        await provider.generate(EV, PROMPT, 1)
    await provider.close()


def test_missing_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_API_KEY")
    with pytest.raises(SetupError, match="LOCAL_API_KEY"):
        connect("openai-api/local/tiny", Settings(base_url="http://127.0.0.1:1/v1"), PRICES)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SetupError, match="OPENAI_API_KEY"):
        connect("openai/gpt-x", Settings(), PRICES)


@pytest.mark.parametrize("name", ["gpt-5", "nobody/x", "openai-api/x"])
def test_a_name_without_meaning_says_where_to_look(name: str) -> None:
    with pytest.raises(UsageError, match="convex-evals models"):
        connect(name, Settings(), PRICES)
