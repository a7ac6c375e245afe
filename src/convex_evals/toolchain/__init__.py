"""Warm tools for submissions: dependency sets, codegen, bundling, type checking and lint.

This room knows projects, not evals, graders or backends.
"""

from convex_evals.toolchain.nouns import Bundle, BundledComponent, BundledModule, Finding, Progress
from convex_evals.toolchain.toolchain import Toolchain

__all__ = ["Bundle", "BundledComponent", "BundledModule", "Finding", "Progress", "Toolchain"]
