"""Whose fault it is, and whether to try again: one table, decided by exception type, never by message text.

EvalsError
├── ModelFailed              the model's doing: a failing check, never retried
│   ├── ReplyUnusable        files: nothing to grade, refused path, cut-off reply
│   ├── InstallFailed        install: a dependency that does not exist or is not allowed
│   └── DeployFailed         deploy: refused, crashed or hung while being deployed
└── TrialFailed              ours or the provider's: unscored, listed, retried where the table says so
    ├── ProviderUnavailable  rate limit, 5xx, timeout, malformed or unfinished reply
    ├── ProviderRefused      bad key, no quota, unknown model
    ├── ContextOverflow      the prompt does not fit the model's context
    ├── BackendUnavailable   the backend did not start, or died without the project's doing
    ├── RegistryUnavailable  the package registry did not answer
    ├── ToolFailed           compiler, linter or bundler broke
    ├── GraderBroken         the grader fails on the reference answer, or raises what is no assertion
    └── BrowserMissing       no browser where the eval needs one
SetupError                   something a person has to install or set; ends the command
UsageError                   an argument that names nothing; ends the command
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType


class EvalsError(Exception):
    """Root of everything that we raise on purpose. The text says what happened, where, and what to do next."""


class ModelFailed(EvalsError):
    """The submission is at fault: becomes a failing check."""


class ReplyUnusable(ModelFailed):
    """The reply holds no project that can be graded."""


class InstallFailed(ModelFailed):
    """A declared dependency does not exist or is not allowed."""


class DeployFailed(ModelFailed):
    """The project was refused by the backend or broke while it was deployed."""


class TrialFailed(EvalsError):
    """Not the model's doing: the trial has no score."""


class ProviderUnavailable(TrialFailed):
    """The provider did not give a complete answer this time."""


class ProviderRefused(TrialFailed):
    """The provider will not answer, however often it is asked."""


class ContextOverflow(TrialFailed):
    """Prompt and output do not fit the model's context."""


class BackendUnavailable(TrialFailed):
    """The backend cannot be reached or did not start."""


class RegistryUnavailable(TrialFailed):
    """The package registry did not answer."""


class ToolFailed(TrialFailed):
    """A tool of ours broke."""


class GraderBroken(TrialFailed):
    """The grader is wrong, not the submission."""


class BrowserMissing(TrialFailed):
    """The eval needs a browser and there is none."""


class SetupError(EvalsError):
    """Something has to be installed or configured first."""


class UsageError(EvalsError):
    """An argument names something that does not exist."""


@dataclass(frozen=True)
class Cause:
    """What is done about one kind of trial failure."""

    name: str
    attempts: int
    """Tries in all, the first included."""
    advice: str


CAUSES: MappingProxyType[type[TrialFailed], Cause] = MappingProxyType(
    {
        ProviderUnavailable: Cause("provider_unavailable", 6, "run the same command again to continue"),
        ProviderRefused: Cause("provider_refused", 1, "check the key, the quota and the model's name"),
        ContextOverflow: Cause("context_overflow", 1, "use a model with a larger context, or --no-guidelines"),
        BackendUnavailable: Cause("backend_unavailable", 3, "convex-evals doctor"),
        RegistryUnavailable: Cause("registry_unavailable", 3, "check the network and run the same command again"),
        ToolFailed: Cause("tool_failed", 2, "convex-evals doctor, then run the same command again"),
        GraderBroken: Cause("grader_broken", 1, "mend the grader: it fails on the reference answer"),
        BrowserMissing: Cause("browser_missing", 1, "convex-evals setup --browser, or install Chromium"),
        TrialFailed: Cause("internal", 1, "this is a defect of convex-evals: please report it with the message"),
    }
)


def cause_of(error: BaseException) -> Cause:
    """The row of the table for an exception; anything unknown is a defect of ours."""
    for kind in type(error).__mro__:
        if kind in CAUSES:
            return CAUSES[kind]
    return CAUSES[TrialFailed]


@contextmanager
def boundary(kind: type[EvalsError], what: str, *caught: type[Exception]) -> Iterator[None]:
    """Turn exceptions of a foreign library, listed in `caught`, into ours, with what was being done."""
    try:
        yield
    except caught as error:
        raise kind(f"{what}: {type(error).__name__}: {error}") from error
