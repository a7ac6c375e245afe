"""Guidelines as ordered rules: loading them from their folder and rendering them as one Markdown text.

Knows neither models nor results; what a rule is worth is measured elsewhere.
"""

from convex_evals.guidelines.load import load_guidelines
from convex_evals.guidelines.render import render

__all__ = ["load_guidelines", "render"]
