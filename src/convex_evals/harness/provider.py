"""One model behind Inspect: connecting, asking once, and telling what went wrong by our exceptions.

Inspect's and the SDK's own retries are off, because they are endless, multiply, and repeat what cannot succeed; the
table in errors.CAUSES decides instead. A reply that has no end, or no form, is never taken for an answer.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from time import perf_counter
from types import TracebackType
from typing import Any

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
    get_model,
)
from inspect_ai.model import Model as InspectModel

from convex_evals.errors import (
    ContextOverflow,
    EvalsError,
    ProviderRefused,
    ProviderUnavailable,
    SetupError,
    TrialFailed,
    UsageError,
)
from convex_evals.harness import builtin
from convex_evals.harness.offline import OFFLINE_MODELS
from convex_evals.harness.prices import Prices
from convex_evals.types import Eval, Message, Reply, StopReason, Usage

_STOPS: Mapping[str, StopReason] = {"stop": "stop", "max_tokens": "length", "content_filter": "refused"}
_OVERFLOW_CODES = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length", "context_window_exceeded"}
)
_NO_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_TRANSIENT_STATUSES = frozenset({408, 409, 425, 429})
_WRAPPERS = frozenset({"ModelGenerateError", "RetryError"})
_MESSAGES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


class ProviderBusy(ProviderUnavailable):
    """The provider said when to come back."""

    def __init__(self, text: str, retry_after_seconds: float) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Settings:
    """How a model is asked. What is None is the provider's default, and is not sent."""

    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    timeout_seconds: int = 600
    """For one attempt."""
    connections: int = 10
    """Requests to this model at once."""
    stream: bool = True
    """Streaming shows the first token, and a reply that was cut off."""
    base_url: str | None = None

    def identity(self) -> dict[str, Any]:
        """What can change a reply, as it is stored in a run."""
        named = {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
            "reasoning_effort": self.reasoning_effort,
            "base_url": self.base_url,
        }
        return {key: value for key, value in named.items() if value is not None}


class Provider:
    """A model that Inspect knows, as a `Model` of ours: one call, one attempt."""

    def __init__(self, name: str, inspect_model: InspectModel, settings: Settings, prices: Prices) -> None:
        self.name = name
        self.inspect_model = inspect_model
        self._settings = settings
        self._prices = prices

    async def close(self) -> None:
        """Close its connections."""
        await self.inspect_model.api.aclose()

    async def generate(self, ev: Eval, messages: Sequence[Message], epoch: int) -> Reply:
        """One attempt. Raises ProviderUnavailable, ProviderRefused or ContextOverflow."""
        started = perf_counter()
        first_token_seconds: float | None = None

        async def on_stream(_: object) -> None:
            nonlocal first_token_seconds
            if first_token_seconds is None:
                first_token_seconds = perf_counter() - started

        with _naming_errors(self.inspect_model):
            output = await self.inspect_model.generate(
                as_inspect_messages(messages, ev, epoch), on_stream=on_stream if self._settings.stream else None
            )
        return self._reply(output, perf_counter() - started, first_token_seconds)

    def _reply(self, output: ModelOutput, seconds: float, first_token_seconds: float | None) -> Reply:
        usage = _usage(output)
        stop = output.stop_reason if output.choices else "unknown"
        if stop == "model_length" and (usage is None or not usage.output_tokens):
            said = output.completion or output.error or "the prompt is too long"
            raise ContextOverflow(f"{self.name}: {_short(said)}")
        if stop != "model_length" and stop not in _STOPS:
            raise ProviderUnavailable(f"{self.name}: the reply ended without a finish reason ({stop})")
        reported = output.usage.total_cost if output.usage is not None else None
        return Reply(
            text=output.completion,
            stop=_STOPS.get(stop, "length"),
            usage=usage,
            cost_usd=reported if reported is not None else self._prices.cost_usd(self.name, usage),
            seconds=seconds,
            first_token_seconds=first_token_seconds,
        )


class _naming_errors:
    """SDKs share no base class for what goes wrong: whatever leaves this block has a cause of ours."""

    def __init__(self, model: InspectModel) -> None:
        self._model = model

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        ours = isinstance(error, EvalsError) or isinstance(self._model.api, builtin.OfflineAPI)
        if isinstance(error, Exception) and not ours:
            raise classify(error, self._model) from error


def connect(name: str, settings: Settings, prices: Prices) -> Provider:
    """A model by its name. Raises UsageError for a name without meaning, SetupError for a missing key or package."""
    if "/" not in name and name not in OFFLINE_MODELS:
        raise UsageError(f"no model {name!r}: write provider/model, e.g. openai/{name}; see `convex-evals models`")
    config = GenerateConfig(
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        seed=settings.seed,
        reasoning_effort=settings.reasoning_effort,  # type: ignore[arg-type]
        max_retries=0,
        attempt_timeout=settings.timeout_seconds,
        max_connections=settings.connections,
    )
    qualified = f"{name}/{name}" if name in OFFLINE_MODELS else name
    try:
        with redirect_stdout(sys.stderr):  # what Inspect has to announce is no part of our output
            model = get_model(qualified, config=config, base_url=settings.base_url, memoize=False)
    except PrerequisiteError as error:
        raise SetupError(f"{name}: {_plain(str(error.message))}") from error
    except (ValueError, ImportError) as error:
        raise UsageError(f"no model {name!r}: {error}; see `convex-evals models`") from error
    client = getattr(model.api, "client", None)
    if client is not None and hasattr(client, "max_retries"):
        client.max_retries = 0
    return Provider(name, model, settings, prices)


def classify(error: Exception, model: InspectModel) -> TrialFailed:
    """What a provider's exception means, from its type, its HTTP status and its error code; never from its words."""
    chain = list(_chain(error))
    first = next((one for one in chain if type(one).__name__ not in _WRAPPERS), error)
    text = f"{type(first).__name__}: {_short(str(first))}"
    codes = {code for one in chain for code in _codes(one)}
    status = next((status for one in chain if (status := _status(one)) is not None), None)
    if codes & _OVERFLOW_CODES:
        return ContextOverflow(text)
    if codes & _NO_QUOTA_CODES:
        return ProviderRefused(text)
    if status is not None and 400 <= status < 500 and status not in _TRANSIENT_STATUSES:
        return ProviderRefused(text)
    if isinstance(first, PrerequisiteError):
        return ProviderRefused(_plain(str(first.message)))
    wait = getattr(model.api.should_retry(first), "retry_after", None)
    return ProviderBusy(text, float(wait)) if wait else ProviderUnavailable(text)


def _chain(error: BaseException | None) -> Iterator[Exception]:
    while isinstance(error, Exception):
        yield error
        error = error.__cause__


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _codes(error: Exception) -> set[str]:
    """The machine-readable codes of an error, from its attributes and from the body of the response."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    told = [getattr(error, "code", None), getattr(error, "type", None)]
    if isinstance(inner, dict):
        told += [inner.get("code"), inner.get("type")]
    return {code for code in told if isinstance(code, str)}


def as_inspect_messages(messages: Sequence[Message], ev: Eval, epoch: int) -> list[ChatMessage]:
    """The prompt in Inspect's terms; what only offline models may know is metadata of the last message."""
    made: list[ChatMessage] = [_MESSAGES[message.role](content=message.text) for message in messages]
    made[-1].metadata = {"asked": {"eval_id": ev.id, "epoch": epoch, "answer": str(ev.path / "answer")}}
    return made


def _usage(output: ModelOutput) -> Usage | None:
    used = output.usage
    if used is None:
        return None
    cached = used.input_tokens_cache_read
    total_input = used.input_tokens + (cached or 0) + (used.input_tokens_cache_write or 0)
    return Usage(total_input, used.output_tokens, cached, used.reasoning_tokens)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 500 else line[:497] + "..."


def _plain(text: str) -> str:
    """Without Inspect's terminal markup."""
    return _short(re.sub(r"\[/?[a-z ]+\]", "", text).removeprefix("ERROR: "))
