"""The nouns and the seams of convex-evals, all in one place.

Nouns are frozen and do no I/O; what happens to them is in the rooms named after the verbs.
This module imports nothing of ours, so every room may import it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

Category = Literal[
    "fundamentals", "data_modeling", "queries", "mutations", "actions", "idioms", "clients", "components"
]
CATEGORIES: tuple[Category, ...] = (
    "fundamentals",
    "data_modeling",
    "queries",
    "mutations",
    "actions",
    "idioms",
    "clients",
    "components",
)

CheckName = Literal["files", "install", "deploy", "typecheck", "lint", "behaviour"]
CHECKS: tuple[CheckName, ...] = ("files", "install", "deploy", "typecheck", "lint", "behaviour")

Status = Literal["pass", "fail", "skip"]
StopReason = Literal["stop", "length", "refused", "unknown"]
Files = Mapping[str, str]
"""Path relative to the project, with forward slashes → text of the file."""


@dataclass(frozen=True)
class Eval:
    """One problem folder, read once."""

    id: str
    """`<category>/<name>`, e.g. "queries/pagination"."""
    category: str
    name: str
    path: Path
    task: str
    """What the model reads, before guidelines are added."""
    layout: Literal["native", "public"] = "native"
    split: Literal["train", "validation", "held_out"] | None = None
    family: str | None = None
    tags: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    """What grading needs beyond a deployment: "browser"."""
    network: tuple[str, ...] = ()
    """Hosts beyond declared loopback fixtures that a deployment may reach, e.g. "localhost"."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the deployment, from eval.toml."""
    why: str = ""
    """What is measured, and what breaks in production without it."""
    checks: frozenset[CheckName] = frozenset({"files", "install", "deploy", "typecheck", "lint", "behaviour"})
    """The checks that must have run for a trial to pass."""
    expect: Mapping[str, Expectation] = field(default_factory=dict)
    """For each `wrong/<slug>`: where it must fail."""
    hash: str = ""
    """SHA-256 over everything in the folder that can change a verdict."""


@dataclass(frozen=True)
class Expectation:
    """Where a wrong answer has to fail."""

    check: CheckName
    test: str | None = None
    """Name of the behaviour test, None for any other check."""
    match: str | None = None
    """Text that the detail or message must contain."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one generation; None where the provider did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True)
class Reply:
    """What a model said, verbatim."""

    text: str
    stop: StopReason = "stop"
    usage: Usage | None = None
    cost_usd: float | None = None
    """None when no price is known, never 0."""
    seconds: float | None = None
    first_token_seconds: float | None = None


@dataclass(frozen=True)
class Submission:
    """What a solver made; enough to be graded again."""

    files: Files
    reply: Reply | None = None
    notes: tuple[str, ...] = ()
    """What the parser did and was not certain of, in order."""
    problem: str | None = None
    """Why the reply gives no gradable project (cut off, refused path, no files), or None."""


@dataclass(frozen=True)
class TestResult:
    """One behaviour test."""

    __test__ = False  # pytest: not a test class
    status: Status
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Check:
    """One step of grading."""

    name: CheckName
    status: Status
    seconds: float = 0.0
    detail: str = ""
    tests: Mapping[str, TestResult] = field(default_factory=dict)
    """Behaviour only: every test that the grader declares."""


@dataclass(frozen=True)
class Score:
    """The verdict on one submission. The rule that makes it lives here and nowhere else."""

    checks: tuple[Check, ...]
    required: frozenset[CheckName]
    """The checks that the eval requires to have run."""

    @property
    def passed(self) -> bool:
        """No check failed, and every required check passed."""
        passed = {check.name for check in self.checks if check.status == "pass"}
        return self.required <= passed and all(check.status != "fail" for check in self.checks)

    @property
    def fraction(self) -> float:
        """Behaviour tests passed of all that the grader declares; 0 when behaviour did not run."""
        for check in self.checks:
            if check.name == "behaviour" and check.tests:
                return sum(test.status == "pass" for test in check.tests.values()) / len(check.tests)
        return 1.0 if self.passed else 0.0

    @property
    def first_failure(self) -> Check | None:
        """The first check that failed, in grading order."""
        return next((check for check in self.checks if check.status == "fail"), None)


@dataclass(frozen=True)
class Project:
    """What is deployed."""

    path: Path
    """Folder with the project's files, `convex/_generated` included once codegen ran."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the deployment."""
    network: tuple[str, ...] = ()
    """Hosts that the project's actions may reach besides the trial's loopback fixtures."""
    node_modules: Path | None = None
    """The installed dependency set, None when the project declares no dependency."""


@dataclass(frozen=True)
class TrialError:
    """Why a trial could not be scored: ours or the provider's doing, never the model's."""

    cause: str
    """A row of `errors.CAUSES`, e.g. "provider_unavailable"."""
    message: str


@dataclass(frozen=True)
class Trial:
    """One attempt at one eval: one line of results."""

    eval_id: str
    eval_hash: str
    category: str
    epoch: int
    submission: Submission | None
    score: Score | None
    error: TrialError | None
    attempts: int = 1
    started: str = ""
    """ISO 8601, UTC."""
    seconds: float = 0.0
    """Grading time."""

    @property
    def outcome(self) -> Literal["passed", "failed", "error"]:
        if self.score is None:
            return "error"
        return "passed" if self.score.passed else "failed"


@dataclass(frozen=True)
class Run:
    """All that is needed to repeat a run or to compare it with another."""

    id: str
    model: str
    solver: str
    condition: str
    """"guidelines" or "none"."""
    guidelines_name: str | None
    guidelines_hash: str | None
    suite: str
    suite_hash: str
    evals: tuple[str, ...]
    epochs: int
    backend: str
    backend_version: str
    toolchain: Mapping[str, str]
    """Tool → exact version."""
    settings: Mapping[str, Any]
    """Generation settings: temperature, max_tokens, …"""
    code_version: str
    started: str
    after: str | None = None
    """The run whose failures this one tries again."""


@dataclass(frozen=True)
class Rule:
    """One guideline."""

    id: str
    section: str
    text: str
    """Markdown."""
    models: tuple[str, ...] = ()
    """Empty: for all models."""
    motive_evals: tuple[str, ...] = ()
    source: str = ""
    evidence: str = ""
    added: str = ""


@dataclass(frozen=True)
class Guidelines:
    """Ordered rules as they go into a prompt."""

    name: str
    rules: tuple[Rule, ...]
    text: str
    """Rendered Markdown."""
    hash: str


@dataclass(frozen=True)
class Message:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    text: str


class Deployment(Protocol):
    """A running Convex deployment, whoever serves it."""

    @property
    def url(self) -> str:
        """Cloud URL: API and sync."""
        ...

    @property
    def site_url(self) -> str: ...

    @property
    def admin_key(self) -> str: ...

    async def close(self) -> None: ...


class Backend(Protocol):
    """Anything that can make a deployment of a project."""

    name: str
    version: str

    async def deploy(self, project: Project) -> Deployment:
        """Deploy, or raise errors.DeployFailed (the model's doing) or errors.BackendUnavailable (ours)."""
        ...

    async def close(self) -> None: ...


class Model(Protocol):
    """Anything that answers a prompt."""

    name: str

    async def generate(self, ev: Eval, messages: Sequence[Message], epoch: int) -> Reply: ...


class Solver(Protocol):
    """Makes a submission for an eval."""

    async def __call__(self, ev: Eval, epoch: int) -> Submission: ...
