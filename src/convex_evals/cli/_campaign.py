"""Models × conditions → arms with their run folders: the wiring that `run` and `try` share."""

from __future__ import annotations

import dataclasses
import hashlib
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convex_evals.cli._environment import code_version, load_keys
from convex_evals.cli._progress import Progress
from convex_evals.cli.options import cache_folder
from convex_evals.errors import UsageError
from convex_evals.grade import Grader, open_grader
from convex_evals.guidelines import load_guidelines
from convex_evals.harness.campaign import Arm, run_arms
from convex_evals.harness.offline import recorded
from convex_evals.harness.prices import load_prices
from convex_evals.harness.provider import Provider, Settings, connect
from convex_evals.results import RunFolder, RunRecord, open_run, read_run, read_runs
from convex_evals.suite import Suite, content_folder
from convex_evals.types import Eval, Guidelines, Run

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Campaign:
    """What one command asks for."""

    models: tuple[str, ...]
    conditions: tuple[bool, ...]
    """With guidelines: True; without: False."""
    suite: Suite
    evals: tuple[Eval, ...]
    runs: Path
    settings: Settings
    guidelines_folder: Path | None = None
    epochs: int = 1
    parallel: int = 4
    admin_key: str | None = None
    prices: Path | None = None
    fresh: bool = False
    only_failed: bool = False
    notes: list[str] = field(default_factory=list)
    """What the user should be told about how the plan came about."""


async def run_campaign(campaign: Campaign, progress: Progress) -> tuple[RunRecord, ...]:
    """Do all that is left to do, and read back what is then stored."""
    load_keys()
    prices = load_prices(campaign.prices)
    async with AsyncExitStack() as opened:
        providers = []
        for name in campaign.models:
            providers.append(connect(name, campaign.settings, prices))
            opened.push_async_callback(providers[-1].close)
        grader = await opened.enter_async_context(open_grader(cache_folder(), Path.home(), campaign.admin_key))
        chosen = ((provider, with_rules) for provider in providers for with_rules in campaign.conditions)
        planned = [_arm(campaign, provider, with_rules, grader, opened) for provider, with_rules in chosen]
        arms = [arm for arm in planned if arm is not None]
        for note in campaign.notes:
            progress.say(note)
        with progress.showing([(arm.folder, arm.folder.run) for arm in arms]):
            todo = [arm for arm in arms if arm.folder.record().missing]
            if todo:
                await run_arms(todo, grader.grade, progress.watch, graders=campaign.parallel)
    return tuple(read_run(arm.folder.path) for arm in arms)


def _arm(
    campaign: Campaign, provider: Provider, with_rules: bool, grader: Grader, opened: AsyncExitStack
) -> Arm | None:
    guidelines = _guidelines(campaign, provider.name) if with_rules else None
    plan = _plan(campaign, provider.name, guidelines, grader)
    if campaign.only_failed:
        chosen = _failed_last_time(campaign, plan)
        if chosen is None:
            return None
        plan, fresh = chosen
    else:
        plan, fresh = dataclasses.replace(plan, evals=_covered(campaign, provider.name)), campaign.fresh
    known = {ev.id: ev for ev in campaign.suite.evals}
    folder = opened.enter_context(open_run(campaign.runs, plan, fresh=fresh))
    if folder.is_new and not fresh:
        _take_unfinished(campaign, folder)
    evals = tuple(known[eval_id] for eval_id in plan.evals)
    return Arm(folder, provider, campaign.settings, evals, guidelines)


def _take_unfinished(campaign: Campaign, folder: RunFolder) -> None:
    """Code, tools or evals changed since a run was interrupted: its verdicts do not count here, its replies do."""
    for record in read_runs(campaign.runs):
        same = (record.run.model, record.run.condition) == (folder.run.model, folder.run.condition)
        if same and not record.complete and record.run.id != folder.run.id:
            taken = folder.take_replies(record.path)
            if taken:
                campaign.notes.append(
                    f"{folder.run.id}: {taken} replies of the unfinished {record.run.id} are graded anew"
                )


def _covered(campaign: Campaign, model: str) -> tuple[str, ...]:
    evals = recorded(model, campaign.evals, campaign.epochs)
    if not evals:
        raise UsageError(f"{model}: none of the chosen evals is recorded there")
    if len(evals) < len(campaign.evals):
        left_out = len(campaign.evals) - len(evals)
        campaign.notes.append(f"{model}: {len(evals)} evals are recorded there; {left_out} others are left out")
    return tuple(ev.id for ev in evals)


def _failed_last_time(campaign: Campaign, plan: Run) -> tuple[Run, bool] | None:
    """The plan for what did not pass in the last run like this one; an unfinished one of the same kind goes on."""
    chosen = {ev.id for ev in campaign.evals}
    like = [
        record
        for record in read_runs(campaign.runs)
        if (record.run.model, record.run.condition, record.run.suite) == (plan.model, plan.condition, plan.suite)
    ]
    if not like:
        raise UsageError(f"--failed: no run of {plan.model} ({plan.condition}) in {campaign.runs} yet")
    last = like[-1]
    if last.run.after is not None and not last.complete:
        return dataclasses.replace(plan, evals=last.run.evals, after=last.run.after), False
    known = {ev.id for ev in campaign.suite.evals}
    failed = tuple(eval_id for eval_id in last.failed_evals if eval_id in chosen & known)
    if not failed:
        campaign.notes.append(f"--failed: nothing failed in {last.run.id}")
        return None
    return dataclasses.replace(plan, evals=failed, after=last.run.id), False


def _guidelines(campaign: Campaign, model: str) -> Guidelines:
    return load_guidelines(campaign.guidelines_folder or content_folder() / "guidelines", model)


def _plan(campaign: Campaign, model: str, guidelines: Guidelines | None, grader: Grader) -> Run:
    return Run(
        id="",
        model=model,
        solver="one_shot",
        condition="guidelines" if guidelines is not None else "none",
        guidelines_name=guidelines.name if guidelines is not None else None,
        guidelines_hash=guidelines.hash if guidelines is not None else None,
        suite=campaign.suite.name,
        evals=(),
        epochs=campaign.epochs,
        settings=campaign.settings.identity(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        **judged_by(campaign.suite, grader, campaign.admin_key),
    )


def judged_by(suite: Suite, grader: Grader, admin_key: str | None) -> Mapping[str, Any]:
    """All that can change a verdict on the same submission, as a run records it."""
    key = f" {admin_key}" if admin_key is not None else ""
    return {
        "suite_hash": hashlib.sha256(f"{suite.hash}{key}".encode()).hexdigest() if key else suite.hash,
        "code_version": code_version(),
        "backend": grader.backend_name,
        "backend_version": grader.backend_version,
        "toolchain": dict(grader.tool_versions),
    }
