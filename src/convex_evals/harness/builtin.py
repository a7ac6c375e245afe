"""The offline models as Inspect model providers: answer, empty, replay/<folder>, scripted/<file>.

What is asked travels in the metadata of the last message, which no real provider sends anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from convex_evals.harness.offline import Answer, Asked, Empty, OfflineModel, Replay, Scripted

_STOPS = {"stop": "stop", "length": "max_tokens", "refused": "content_filter", "unknown": "unknown"}


class OfflineAPI(ModelAPI):
    """An offline model behind Inspect's provider interface."""

    def __init__(self, model_name: str, model: OfflineModel, config: GenerateConfig) -> None:
        super().__init__(model_name, None, None, [], config)
        self._model = model

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        asked = (input[-1].metadata or {}).get("asked")
        if not isinstance(asked, dict):
            raise TypeError("offline models answer evals only, not free prompts")
        reply = self._model.reply(Asked(asked["eval_id"], asked["epoch"], Path(asked["answer"])))
        message = ChatMessageAssistant(content=reply.text, model=self.model_name, source="generate")
        choice = ChatCompletionChoice(message=message, stop_reason=_STOPS[reply.stop])  # type: ignore[arg-type]
        return ModelOutput(model=self.model_name, choices=[choice])

    def connection_key(self) -> str:
        return f"offline-{self.model_name}"

    def max_connections(self) -> int:
        return 1_000


def _offline(make: Any) -> type[ModelAPI]:
    class Bound(OfflineAPI):
        def __init__(
            self,
            model_name: str,
            base_url: str | None = None,
            api_key: str | None = None,
            config: GenerateConfig = GenerateConfig(),  # noqa: B008
        ) -> None:
            super().__init__(model_name, make(model_name), config)

    return Bound


@modelapi(name="answer")
def answer() -> type[ModelAPI]:
    """`answer`: the reference project."""
    return _offline(lambda name: Answer())


@modelapi(name="empty")
def empty() -> type[ModelAPI]:
    """`empty`: nothing."""
    return _offline(lambda name: Empty())


@modelapi(name="replay")
def replay() -> type[ModelAPI]:
    """`replay/<folder>`: recorded replies."""
    return _offline(lambda name: Replay(Path(name)))


@modelapi(name="scripted")
def scripted() -> type[ModelAPI]:
    """`scripted/<file>`: a script of replies and faults."""
    return _offline(lambda name: Scripted(Path(name)))
