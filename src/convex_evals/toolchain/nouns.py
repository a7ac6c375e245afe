"""What the toolchain hands out: bundles and findings.

The fields of a bundled module mirror what an embedded deployment is pushed, but this room does not know any
backend: whoever deploys translates. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Environment = Literal["isolate", "node"]
Progress = Callable[[str], None]
"""Called with one line of text, without a line end, for each step that a person may wait for."""


@dataclass(frozen=True)
class BundledModule:
    """One entry point of the functions folder with everything that it imports."""

    path: str
    """Canonical, relative to the functions folder: "messages.js", "dir/util.js", "convex.config.js", "schema.js"."""
    source: str
    """A script in CommonJS form, to be evaluated with `module`, `exports` and `require` in scope.

    It requires "convex/server", "convex/values" and "convex/browser" when `Bundle.provided`, Node built-ins when
    `environment` is "node", the children of the component in "convex.config.js", and nothing else.
    """
    environment: Environment = "isolate"
    source_map: str | None = None
    """Source map version 3 as JSON text; its sources are as in `original`. Not referred to by `source`."""
    positions: Mapping[str, int] = field(default_factory=dict)
    """Exported name → line (from 1) of its definition in the original source, in source order."""
    original: str | None = None
    """The source file as errors show it, relative to the project: "convex/messages.ts"."""


@dataclass(frozen=True)
class BundledComponent:
    """The modules of one component definition; the app is the one with the empty path."""

    definition_path: str
    """"" for the app, "components/counter" for a folder of the project, "@convex-dev/counter" for a package."""
    modules: tuple[BundledModule, ...]
    """In path order. "schema.js", "convex.config.js", "auth.config.js" are among them where the project has them."""
    children: Mapping[str, str] = field(default_factory=dict)
    """What `require` is called with in "convex.config.js" for a child → the child's definition path."""


@dataclass(frozen=True)
class Bundle:
    """All that one deploy brings, but for the environment variables."""

    app: BundledComponent
    components: tuple[BundledComponent, ...] = ()
    """Every definition reachable from the app, each once, in order of definition path."""
    provided: bool = True
    """The modules require `convex/*` from the runtime; False: another version of convex is bundled in."""

    @property
    def size_bytes(self) -> int:
        """UTF-8 size of all sources."""
        modules = [module for part in (self.app, *self.components) for module in part.modules]
        return sum(len(module.source.encode()) for module in modules)


@dataclass(frozen=True)
class Finding:
    """What the type checker or the linter says about one place."""

    file: str
    """Relative to the project, with forward slashes: "convex/messages.ts"; "" when it concerns the whole project."""
    line: int
    """From 1; 0 when there is no place."""
    column: int
    """From 1; 0 when there is no place."""
    code: str
    """"TS2345" or the id of a lint rule, e.g. "typescript/no-floating-promises"."""
    message: str
    counts: bool
    """True: makes the check fail. False: shown, but not the submission's doing or a matter of taste."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        return f"{place}{self.code}: {self.message}"
