"""Runs evals on models. Only modules of this room import Inspect AI, and only when something is run.

`offline`, `prices`, `trials` and `regrade` know nothing of Inspect; `provider`, `builtin`, `campaign` and `registry`
are the thin part that does.
"""
