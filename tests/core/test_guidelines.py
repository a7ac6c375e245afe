"""Rules keep their order, go to the models that they are meant for, and each mistake of an author is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from convex_evals.errors import UsageError
from convex_evals.guidelines import load_guidelines

FENCED = """\
# Write queries

+++
id = "one"
source = "https://docs.convex.dev/database"
motive_evals = ["queries/a"]
added = "2026-11-22"
+++
Use an index:

```md
+++
not a mark
+++
```

+++
id = "two"
models = ["openai/*"]
+++
Only for some.
"""


def folder_with(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    return tmp_path


def test_rules_in_order_with_their_front_matter(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, **{"20-queries": FENCED, "10-basics": '+++\nid = "zero"\n+++\nFirst.\n'})
    rules = load_guidelines(folder, model="openai/gpt").rules
    assert [(rule.id, rule.section) for rule in rules] == [
        *(("zero", "Basics"), ("one", "Write queries"), ("two", "Write queries")),
    ]
    assert rules[1].text == "Use an index:\n\n```md\n+++\nnot a mark\n+++\n```"
    assert (rules[1].source, rules[1].motive_evals, rules[1].added) == (
        *("https://docs.convex.dev/database", ("queries/a",), "2026-11-22"),
    )


def test_rendering_and_hash_follow_the_rules_that_are_meant(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, **{"10-queries": FENCED})
    (folder / "README.md").write_text("About this folder.")
    plain, overlaid = load_guidelines(folder), load_guidelines(folder, model="openai/gpt")
    assert plain.text.startswith("## Write queries\n\nUse an index:")
    assert "Only for some." not in plain.text
    assert overlaid.text == plain.text + "\nOnly for some.\n"
    assert plain.hash != overlaid.hash
    assert load_guidelines(folder).hash == plain.hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("+++\nid = 'a'\n", r"a\.md:1: this \+\+\+ has no partner"),
        ("Prose.\n+++\nid = 'a'\n+++\nx", r"a\.md:1: only a `# Title` line"),
        ("\n+++\nid = \n+++\nx", r"a\.md:2: Invalid value"),
        ("+++\nid = 'A b'\n+++\nx", "needs an id"),
        ("+++\nname = 'a'\n+++\nx", "unknown key 'name'"),
        ("+++\nid = 'a'\n+++\n \n", "'a' has no text"),
        ("+++\nid = 'a'\nmodels = 'x'\n+++\nx", "models must be a list"),
        ("+++\nid = 'a'\n+++\nx\n+++\nid = 'a'\n+++\ny", "two rules are called 'a'"),
        ("# Only a title\n", "no rules here"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_guidelines(folder_with(tmp_path, a=text))


def test_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        load_guidelines(tmp_path / "none")
