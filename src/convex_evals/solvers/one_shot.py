"""One prompt, one reply, no second chance: the default solver, and what headline results mean."""

from __future__ import annotations

from convex_evals.parse import parse_reply
from convex_evals.prompt import build_messages
from convex_evals.types import Eval, Guidelines, Model, Solver, Submission


class OneShot:
    """Asks once and reads the reply."""

    def __init__(self, model: Model, guidelines: Guidelines | None) -> None:
        self._model = model
        self._guidelines = guidelines

    async def __call__(self, ev: Eval, epoch: int) -> Submission:
        reply = await self._model.generate(ev, build_messages(ev, self._guidelines), epoch)
        return parse_reply(reply, ev.task)


def make(model: Model, guidelines: Guidelines | None) -> Solver:
    """The solver for one model and one condition."""
    return OneShot(model, guidelines)
