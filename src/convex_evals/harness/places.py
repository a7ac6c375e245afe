"""Where this machine keeps what `setup` installed. Reads the environment; knows nothing else."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where `setup` keeps the pinned tools: $CONVEX_EVALS_CACHE, else convex-evals in the user's cache folder."""
    chosen = os.environ.get("CONVEX_EVALS_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "convex-evals"
