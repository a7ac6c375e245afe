"""The runtime that generated code runs in: TypeScript for Deno (`ts/`) and its bundler (`build.py`).

Everything in `ts/` is on the untrusted side of the pipe; the trusted side is `convex_embedded.sandbox`.
"""

from convex_embedded.runtime.build import BuildFailed, BuiltRuntime, build

__all__ = ["BuildFailed", "BuiltRuntime", "build"]
