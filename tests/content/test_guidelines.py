"""The rules that come along: code that type-checks, sources, and nothing that gives an eval away."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from convex_evals.guidelines.load import load_guidelines
from convex_evals.suite import content_folder, load_suite
from convex_evals.toolchain import Toolchain
from convex_evals.types import Project, Rule

FOLDER = content_folder() / "guidelines"
GUIDELINES = load_guidelines(FOLDER)
EVALS = load_suite().evals
BLOCK = re.compile(r"^```tsx?\n// (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NODE = {"@types/node": "^24.0.0"}
REACT = {name: "^19.0.0" for name in ("react", "react-dom", "@types/react", "@types/react-dom")}
CODED = [rule for rule in GUIDELINES.rules if BLOCK.search(rule.text)]


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    """All runs of this many words, prose only."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[place : place + length]) for place in range(len(words) - length + 1)}


@pytest.mark.parametrize("rule", GUIDELINES.rules, ids=lambda rule: rule.id)
def test_rule_says_where_it_is_from(rule: Rule) -> None:
    assert rule.source.startswith("https://docs.convex.dev/")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", rule.added)
    assert len(rule.text) < 1400
    fences = rule.text.count("```")
    assert fences % 2 == 0
    assert len(BLOCK.findall(rule.text)) == fences // 2, "a block is TypeScript and begins with `// path`"


def test_motives_are_evals_that_may_be_learned_from() -> None:
    training = {ev.id for ev in EVALS if ev.split == "train"}
    named = {motive for rule in GUIDELINES.rules for motive in rule.motive_evals}
    assert named - training == set()


def test_no_rule_repeats_a_task() -> None:
    prose = re.sub(r"^```.*?^```$", "", GUIDELINES.text, flags=re.MULTILINE | re.DOTALL)
    told = runs(prose, 6)
    for ev in EVALS:
        assert told & runs(ev.task, 6) == set(), ev.id
        assert ev.id not in GUIDELINES.text


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("rule", CODED, ids=lambda rule: rule.id)
async def test_code_type_checks(rule: Rule, tools: Toolchain, tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "context", tmp_path, dirs_exist_ok=True)
    for name, text in BLOCK.findall(rule.text):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    packages = REACT if rule.id.startswith("react") else NODE
    manifest = {"name": "rule", "dependencies": {"convex": "^1.48.0", **packages}}
    node_modules = await tools.install({"package.json": json.dumps(manifest)})
    project = Project(tmp_path, node_modules=node_modules)
    await tools.prepare(project)
    assert [str(finding) for finding in await tools.typecheck(project)] == []
