"""The prompt carries the task, the guidelines when asked, no knowledge of its own, and a form that the parser reads."""

from __future__ import annotations

from pathlib import Path

from convex_evals.parse import parse_reply
from convex_evals.prompt import build_messages, prompt_hash, render_messages
from convex_evals.types import Eval, Guidelines, Reply

EV = Eval("queries/a", "queries", "a", Path("x"), "Write `convex/index.ts`.\n")
RULES = Guidelines("default", (), "Always await.\n", "h")


def test_condition_decides_whether_guidelines_are_in_it() -> None:
    without, with_rules = build_messages(EV, None), build_messages(EV, RULES)
    assert [message.role for message in without] == ["system", "user"]
    assert "Always await." in with_rules[1].text
    assert "guidelines" not in render_messages(without)
    assert with_rules[1].text.endswith("Write `convex/index.ts`.")
    assert with_rules[0] == without[0]
    assert len({prompt_hash(without), prompt_hash(with_rules)}) == 2
    assert prompt_hash(without) == prompt_hash(build_messages(EV, None))


def test_the_form_that_it_asks_for_is_read_without_a_note() -> None:
    submission = parse_reply(Reply(render_messages(build_messages(EV, None))))
    assert submission.files == {"path/of/the/file.ts": "// the whole content of the file\n"}
    assert submission.notes == ()


def test_it_gives_no_hint_about_the_platform() -> None:
    text = render_messages(build_messages(EV, None)).lower()
    for word in ("ctx", "use node", "v.id", "convex/server", "internal", "validator", "schema"):
        assert word not in text
