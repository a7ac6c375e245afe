"""A shelf of solvers, found by file name: each file has `make(model, guidelines) -> Solver`. Knows no harness."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from convex_evals.errors import UsageError
from convex_evals.types import Guidelines, Model, Solver

MakeSolver = Callable[[Model, Guidelines | None], Solver]


def solver_named(name: str) -> MakeSolver:
    """What makes the solver of that name. Raises UsageError, with the names there are."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    if name not in names:
        raise UsageError(f"no solver {name!r}; there are: {', '.join(names)}")
    make: MakeSolver = importlib.import_module(f"{__name__}.{name}").make
    return make
