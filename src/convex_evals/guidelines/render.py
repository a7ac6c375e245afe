"""Rules → one Markdown text, the same bytes for the same rules. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import groupby

from convex_evals.types import Rule


def render(rules: Sequence[Rule]) -> str:
    """A heading for each run of rules of one section, then each rule's text as a paragraph of its own."""
    sections = []
    for section, group in groupby(rules, key=lambda rule: rule.section):
        sections.append("\n\n".join([f"## {section}", *(rule.text for rule in group)]))
    return "\n\n".join(sections) + "\n" if sections else ""


def text_hash(text: str) -> str:
    """SHA-256 of a rendered text."""
    return hashlib.sha256(text.encode()).hexdigest()
