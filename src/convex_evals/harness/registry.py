"""The evals for people who live in Inspect: `inspect eval convex_evals/queries --model provider/model`.

One task a category, and `all_evals`. Everything is Inspect's there: its retries, its cache, its logs, its scores; what
is ours is the prompt, the parser and the verdict. Runs that are stored, continued and compared are `convex-evals run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.hooks import Hooks, RunEnd, hooks
from inspect_ai.model import ChatMessage, ModelOutput
from inspect_ai.scorer import Score as InspectScore
from inspect_ai.scorer import Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, TaskState, solver
from inspect_ai.solver import Solver as InspectSolver
from inspect_ai.util import concurrency

from convex_evals.errors import TrialFailed
from convex_evals.grade import Grader, open_grader
from convex_evals.guidelines import load_guidelines
from convex_evals.harness.campaign import as_inspect_score
from convex_evals.harness.places import cache_folder
from convex_evals.harness.provider import as_inspect_messages
from convex_evals.parse import parse_reply
from convex_evals.prompt import build_messages
from convex_evals.suite import content_folder, load_suite
from convex_evals.types import Eval, Guidelines, Reply, StopReason

_STOPS: dict[str, StopReason] = {
    "stop": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "refused",
}


class _SharedGrader:
    """One grader for all tasks of an Inspect run, started by the first score and closed when the run ends."""

    def __init__(self) -> None:
        self._stack: AsyncExitStack | None = None
        self._grader: Grader | None = None

    async def get(self) -> Grader:
        async with concurrency("convex-evals-start", 1, visible=False):
            if self._grader is None:
                # Not at import: Inspect announces on stdout what is registered when it starts.
                hooks(name="convex_evals_grader", description="Closes the grader")(_CloseGrader)
                self._stack = AsyncExitStack()
                self._grader = await self._stack.enter_async_context(open_grader(cache_folder(), Path.home()))
            return self._grader

    async def close(self) -> None:
        stack, self._stack, self._grader = self._stack, None, None
        if stack is not None:
            await stack.aclose()


_SHARED = _SharedGrader()


class _CloseGrader(Hooks):
    async def on_run_end(self, data: RunEnd) -> None:
        await _SHARED.close()


def _task(category: str | None, guidelines: bool, graders: int) -> Task:
    suite = load_suite()
    evals = [ev for ev in suite.evals if category in (None, ev.category)]
    rules = load_guidelines(content_folder() / "guidelines") if guidelines else None
    samples = [Sample(id=ev.id, input=ev.task, metadata={"category": ev.category, "split": ev.split}) for ev in evals]
    return Task(
        dataset=MemoryDataset(samples, name=category or "all_evals"),
        solver=convex_prompt({ev.id: ev for ev in evals}, rules),
        scorer=convex_verdict({ev.id: ev for ev in evals}, graders),
        version=suite.hash[:12],
        metadata={"guidelines_hash": rules.hash if rules is not None else None},
    )


@solver
def convex_prompt(evals: dict[str, Eval], guidelines: Guidelines | None) -> InspectSolver:
    """Asks with our prompt."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        ev = evals[str(state.sample_id)]
        messages: Sequence[ChatMessage] = as_inspect_messages(build_messages(ev, guidelines), ev, state.epoch)
        state.messages = list(messages)
        return await generate(state)

    return solve


@scorer(metrics=[accuracy(), stderr()])
def convex_verdict(evals: dict[str, Eval], graders: int) -> Scorer:
    """Our parser and our checks. What is not the model's doing stays unscored."""

    async def score(state: TaskState, target: Target) -> InspectScore:
        ev = evals[str(state.sample_id)]
        async with concurrency("convex-evals-graders", graders):
            grader = await _SHARED.get()
            try:
                verdict = await grader.grade(ev, parse_reply(_reply(state.output), ev.task))
            except TrialFailed as error:
                return InspectScore.unscored(reason=str(error))
        return as_inspect_score(verdict)

    return score


def _reply(output: ModelOutput) -> Reply:
    return Reply(output.completion, stop=_STOPS.get(str(output.stop_reason), "unknown"))


@task
def all_evals(guidelines: bool = True, graders: int = 4) -> Task:
    """Every eval of the suite."""
    return _task(None, guidelines, graders)


@task
def fundamentals(guidelines: bool = True, graders: int = 4) -> Task:
    """Evals of one category."""
    return _task("fundamentals", guidelines, graders)


@task
def data_modeling(guidelines: bool = True, graders: int = 4) -> Task:
    """Evals of one category."""
    return _task("data_modeling", guidelines, graders)


@task
def queries(guidelines: bool = True, graders: int = 4) -> Task:
    """Evals of one category."""
    return _task("queries", guidelines, graders)


@task
def mutations(guidelines: bool = True, graders: int = 4) -> Task:
    """Evals of one category."""
    return _task("mutations", guidelines, graders)


@task
def actions(guidelines: bool = True, graders: int = 4) -> Task:
    """Evals of one category."""
    return _task("actions", guidelines, graders)


@task
def idioms(guidelines: bool = True, graders: int = 4) -> Task:
    """Evals of one category."""
    return _task("idioms", guidelines, graders)


@task
def clients(guidelines: bool = True, graders: int = 4) -> Task:
    """Evals of one category."""
    return _task("clients", guidelines, graders)


@task
def components(guidelines: bool = True, graders: int = 4) -> Task:
    """Evals of one category."""
    return _task("components", guidelines, graders)
