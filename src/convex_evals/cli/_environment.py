"""What commands take from the machine: keys from a `.env` file, and which code is running."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from dotenv import dotenv_values

import convex_evals

_NO_VERDICT = frozenset({"cli", "reports", "authoring", "__pycache__", "_content"})
"""Rooms that cannot change what a model is asked or how its answer is judged."""


def load_keys(folder: Path | None = None) -> None:
    """Take what `.env` names into the environment, where it is not set already."""
    path = (folder or Path.cwd()) / ".env"
    if path.is_file():
        for name, value in dotenv_values(path).items():
            if value is not None:
                os.environ.setdefault(name, value)


def code_version() -> str:
    """The version of this package with a hash of its sources, so that a run never mixes two states of the code."""
    package = Path(convex_evals.__file__).parent
    digest = hashlib.sha256()
    for root in (package, package.parent / "convex_embedded"):
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root)
            if path.suffix in (".py", ".ts", ".mjs", ".toml", ".json") and not _NO_VERDICT & set(inside.parts):
                digest.update(f"{root.name}/{inside.as_posix()}\n".encode() + path.read_bytes())
    return f"{convex_evals.__version__}+{digest.hexdigest()[:12]}"
