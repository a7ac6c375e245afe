"""Every form in which models write files, as goldens; and that no text at all breaks the parser."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convex_evals import parse
from convex_evals.parse import parse_reply
from convex_evals.paths import refusal
from convex_evals.types import Reply

A = "export const a = 1;\n"
B = "export const b = 2;\n"


@dataclass(frozen=True)
class Golden:
    """A reply, what is read from it, and a part of every note that must be there."""

    reply: str
    files: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str | None = None
    task: str = ""


def one(heading: str, info: str = "ts") -> str:
    return f"{heading}\n```{info}\n{A}```\n"


INDEX = {"convex/index.ts": A}
GOLDENS = {
    # Headings
    "heading level 1": Golden(one("# convex/index.ts"), INDEX),
    "heading level 6": Golden(one("###### convex/index.ts\n"), INDEX),
    "heading in backticks": Golden(one("## `convex/index.ts`"), INDEX),
    "heading numbered": Golden(one("### 1. `convex/index.ts`"), INDEX),
    "heading with label": Golden(one("### File: convex/index.ts"), INDEX),
    "heading with trailing words": Golden(one("### convex/index.ts (updated)"), INDEX),
    "heading with dash": Golden(one("### `convex/index.ts` — the functions"), INDEX),
    "heading with colon": Golden(one("### convex/index.ts:"), INDEX),
    "heading with emoji": Golden(one("#### 📄 convex/index.ts"), INDEX),
    "heading, prose between": Golden(one("### convex/index.ts\n\nThis has one constant.\nNothing else.\n"), INDEX),
    "bold": Golden(one("**convex/index.ts**"), INDEX),
    "bold with colon inside": Golden(one("**`convex/index.ts`:**"), INDEX),
    "bold in a list": Golden(one("1. **convex/index.ts**:"), INDEX),
    "plain line": Golden(one("convex/index.ts"), INDEX),
    "plain line with colon": Golden(one("convex/index.ts:"), INDEX),
    "plain line in backticks": Golden(one("`convex/index.ts`"), INDEX),
    "plain line with label": Golden(one("File: convex/index.ts"), INDEX),
    "plain line with filename label": Golden(one("Filename: `convex/index.ts`"), INDEX),
    "plain line between rules": Golden(one("--- convex/index.ts ---"), INDEX),
    "plain line between equal signs": Golden(one("=== convex/index.ts ==="), INDEX),
    "plain line in brackets": Golden(one("[convex/index.ts]"), INDEX),
    "list item": Golden(one("- convex/index.ts"), INDEX),
    "dot slash": Golden(one("### ./convex/index.ts"), INDEX),
    "quoted": Golden("> ### convex/index.ts\n> ```ts\n> export const a = 1;\n> ```\n", INDEX),
    "backslashes": Golden(one("### convex\\index.ts"), INDEX, ("backslashes",)),
    "route group": Golden(one("### app/(main)/[id].tsx"), {"app/(main)/[id].tsx": A}),
    "dot file": Golden(one("### .gitignore", ""), {".gitignore": A}),
    "environment file": Golden(one("### .env.local", ""), {".env.local": A}),
    # Info string
    "info: path": Golden(one("", "convex/index.ts"), INDEX),
    "info: language and path": Golden(one("", "ts convex/index.ts"), INDEX),
    "info: language colon path": Golden(one("", "typescript:convex/index.ts"), INDEX),
    "info: title": Golden(one("", 'ts title="convex/index.ts"'), INDEX),
    "info: filename in braces": Golden(one("", "ts {filename=convex/index.ts}"), INDEX),
    "info against heading": Golden(one("### convex/index.ts", "ts other.ts"), INDEX, ("took the heading",)),
    # First-line comment
    "comment": Golden(
        f"```ts\n// convex/index.ts\n{A}```", {"convex/index.ts": f"// convex/index.ts\n{A}"}, ("comment",)
    ),
    "comment with label": Golden(
        f"```ts\n// File: convex/index.ts\n{A}```", {"convex/index.ts": f"// File: convex/index.ts\n{A}"}, ("comment",)
    ),
    "block comment": Golden(
        f"```ts\n/** convex/index.ts */\n{A}```", {"convex/index.ts": f"/** convex/index.ts */\n{A}"}, ("comment",)
    ),
    "comment below a directive": Golden(
        f'```ts\n"use node";\n// convex/index.ts\n{A}```',
        {"convex/index.ts": f'"use node";\n// convex/index.ts\n{A}'},
        ("comment",),
    ),
    "html comment": Golden(
        "```html\n<!-- index.html -->\n<p>\n```", {"index.html": "<!-- index.html -->\n<p>\n"}, ("comment",)
    ),
    "hash comment": Golden("```yaml\n# ci/x.yml\na: 1\n```", {"ci/x.yml": "# ci/x.yml\na: 1\n"}, ("comment",)),
    "comment in JSON": Golden("```json\n// package.json\n{}\n```", {"package.json": "{}\n"}, ("taken off",)),
    "comment that only mentions a file": Golden(
        f"```ts\n// See convex/schema.ts for the table\n{A}```", problem="holds no file", notes=("names no file",)
    ),
    # Sentences
    "sentence": Golden(one("Put this into `convex/index.ts` please:"), INDEX, ("sentence",)),
    "sentence with two files": Golden(
        one("Between `convex/a.ts` and `convex/b.ts`:"), problem="holds no file", notes=("names 2 files",)
    ),
    "sentence does not replace a file": Golden(
        one("### convex/index.ts") + "Call `convex/index.ts` like this:\n```tsx\nuseQuery()\n```\n",
        INDEX,
        ("only a sentence",),
    ),
    # Fences
    "unclosed": Golden(f"### convex/index.ts\n```ts\n{A}", INDEX, ("not closed",)),
    "unclosed before the next file": Golden(
        f"### convex/a.ts\n```ts\n{A}\n### convex/b.ts\n```ts\n{B}```",
        {"convex/a.ts": A, "convex/b.ts": B},
        ("convex/a.ts: its fence is not closed",),
    ),
    "unclosed before a fence that names its file": Golden(
        f"### convex/a.ts\n```ts\n{A}```ts convex/b.ts\n{B}```", {"convex/a.ts": A, "convex/b.ts": B}, ("not closed",)
    ),
    "longer fence": Golden(
        f"### README.md\n````markdown\n# Hi\n```ts\n{A}```\n````\n", {"README.md": f"# Hi\n```ts\n{A}```\n"}
    ),
    "nested in markdown of the same length": Golden(
        f"### README.md\n```markdown\n# Hi\n```ts\n{A}```\nBye\n```\n{one('### convex/index.ts')}",
        {"README.md": f"# Hi\n```ts\n{A}```\nBye\n"} | INDEX,
    ),
    "nested in a template literal": Golden(
        "### convex/index.ts\n```ts\nconst help = `\n```js\nx\n```\n`;\n```\n",
        {"convex/index.ts": "const help = `\n```js\nx\n```\n`;\n"},
    ),
    "tildes": Golden(f"### convex/index.ts\n~~~ts\n{A}~~~\n", INDEX),
    "in a list, indented": Golden(
        "1. `convex/index.ts`\n\n   ```ts\n   if (a) {\n     b();\n   }\n   ```\n",
        {"convex/index.ts": "if (a) {\n  b();\n}\n"},
    ),
    "outer fence around everything": Golden(
        f"```markdown\n### convex/a.ts\n```ts\n{A}```\n### convex/b.ts\n```ts\n{B}```\n```\n",
        {"convex/a.ts": A, "convex/b.ts": B},
        ("outer fence",),
    ),
    "outer longer fence around everything": Golden(
        f"````\n### convex/index.ts\n```ts\n{A}```\n````\n", INDEX, ("outer fence",)
    ),
    "inline code is no fence": Golden("```ts convex/index.ts``` is inline\n" + one("### convex/index.ts"), INDEX),
    "CRLF": Golden(one("### convex/index.ts").replace("\n", "\r\n"), INDEX),
    "empty file": Golden("### convex/index.ts\n```ts\n```\n", {"convex/index.ts": ""}),
    "blank lines are kept": Golden("### a.ts\n```ts\n\nx\n\n```\n", {"a.ts": "\nx\n\n"}),
    # Several blocks
    "last wins": Golden(
        one("### convex/index.ts") + f"Better:\n### `convex/index.ts`\n```ts\n{B}```",
        {"convex/index.ts": B},
        ("last one",),
    ),
    "several files": Golden(
        one("### package.json", "json") + one("### convex/index.ts"), {"package.json": A, "convex/index.ts": A}
    ),
    "commands are no files": Golden(
        "### Setup\n```bash\nnpm install\n```\n" + one("### convex/index.ts"), INDEX, ("names no file",)
    ),
    "a command below a heading leaves it": Golden(
        "### package.json\n```bash\nnpm i\n```\n```json\n{}\n```\n", {"package.json": "{}\n"}, ("names no file",)
    ),
    "shell script": Golden(one("### scripts/go.sh", "bash"), {"scripts/go.sh": A}),
    "diff is no file": Golden(one("### convex/index.ts", "diff"), problem="holds no file", notes=("names no file",)),
    "usage example after a file": Golden(
        one("### convex/index.ts") + "Use it:\n```tsx\nx\n```\n", INDEX, ("names no file",)
    ),
    "product names are no files": Golden(one("## Node.js"), problem="holds no file", notes=("names no file",)),
    "routes are no files": Golden(
        one("### `/api/messages`", "json") + one("### convex/index.ts"), INDEX, ("names no file",)
    ),
    "thinking": Golden(
        f"<think>\n### convex/index.ts\n```ts\n{B}```\n</think>\n" + one("### convex/index.ts"), INDEX, ("thinking",)
    ),
    # A lone block
    "lone block": Golden(one(""), INDEX, ("from the task",), task="Write `convex/index.ts` with a constant."),
    "lone block, plain path": Golden(one(""), INDEX, ("from the task",), task="Write convex/index.ts."),
    "lone block beside a command": Golden(
        "```bash\nls\n```\n" + one(""), INDEX, ("from the task",), task="Only `convex/index.ts`; no package.json."
    ),
    "two lone blocks": Golden(one("") + one(""), problem="holds no file", task="Write `convex/index.ts`."),
    "lone block, two files named": Golden(one(""), problem="holds no file", task="Write `a.ts` and `b.ts`."),
    # Refused
    "traversal": Golden(one("### ../../etc/passwd"), problem="leaves the project"),
    "traversal inside": Golden(one("### convex/../../x.ts"), problem="leaves the project"),
    "traversal with backslashes": Golden(one("### ..\\..\\x.ts"), problem="leaves the project"),
    "traversal in the fence": Golden(one("", "ts ../x.ts"), problem="leaves the project"),
    "absolute": Golden(one("### /etc/passwd"), problem="is absolute"),
    "absolute with extension": Golden(one("### /srv/x.ts"), problem="is absolute"),
    "home": Golden(one("### ~/x.ts"), problem="is absolute"),
    "drive": Golden(one("### C:\\x.ts"), problem="names a drive"),
    "drive, relative": Golden(one("### C:x.ts"), problem="names a drive"),
    "node_modules": Golden(one("### node_modules/convex/index.js"), problem="lies in node_modules"),
    "node_modules in capitals": Golden(one("### a/Node_Modules/x.js"), problem="lies in Node_Modules"),
    "lock file": Golden(one("### package-lock.json", "json"), problem="is a lock file"),
    "lock file of bun": Golden(one("### bun.lock", ""), problem="is a lock file"),
    "git": Golden(one("### .git/config.ts"), problem="lies in .git"),
    "control character in a path": Golden(one("### convex/in\x00dex.ts"), problem="control character"),
    "colon in a path": Golden(one("### convex/a:b.ts"), problem="reserve"),
    "long name": Golden(one(f"### convex/{'x' * 120}.ts"), problem="is too long"),
    "long path": Golden(one(f"### {'abcd/' * 50}x.ts"), problem="is too long"),
    "case clash": Golden(
        one("### convex/A.ts") + one("### convex/a.ts"), {"convex/A.ts": A, "convex/a.ts": A}, problem="letter case"
    ),
    "file and folder": Golden(
        one("### convex/a.ts") + one("### convex/a.ts/b.ts"),
        {"convex/a.ts": A, "convex/a.ts/b.ts": A},
        problem="folder of",
    ),
    "NUL in a file": Golden("### a.ts\n```ts\n\x00\n```\n", {"a.ts": "\x00\n"}, problem="NUL"),
    "lone surrogate": Golden("### a.ts\n```ts\n\ud800\n```\n", {"a.ts": "\ud800\n"}, problem="Unicode"),
    "a refused path in a sentence is no file": Golden(
        one("Unlike `/etc/hosts`:", "txt") + one("### convex/index.ts"), INDEX, ("is absolute",)
    ),
    "generated": Golden(
        one("### convex/_generated/api.d.ts") + one("### convex/index.ts"), INDEX, ("dropped, it is generated",)
    ),
    "nothing": Golden("", problem="the reply is empty"),
    "prose": Golden("I cannot know.", problem="holds no file"),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_golden(name: str) -> None:
    golden = GOLDENS[name]
    submission = parse_reply(Reply(golden.reply), golden.task)
    assert dict(submission.files) == golden.files
    for part in golden.notes:
        assert any(part in note for note in submission.notes), submission.notes
    if golden.problem is None:
        assert submission.problem is None
    else:
        assert golden.problem in (submission.problem or "")


@pytest.mark.parametrize("name", [name for name, golden in GOLDENS.items() if not golden.notes])
def test_certain_forms_have_no_notes(name: str) -> None:
    golden = GOLDENS[name]
    if golden.problem is None:
        assert parse_reply(Reply(golden.reply), golden.task).notes == ()


def test_cut_off_reply_says_so_and_keeps_what_was_read() -> None:
    submission = parse_reply(Reply(one("### convex/index.ts"), stop="length"))
    assert submission.files == INDEX
    assert "truncated" in (submission.problem or "")


def test_refusal_of_the_model_says_so() -> None:
    assert "refused" in (parse_reply(Reply("No.", stop="refused")).problem or "")


def test_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "too large" in (parse_reply(Reply("x" * (parse.MAX_REPLY_CHARS + 1))).problem or "")
    big = f"### a.ts\n```ts\n{'x' * (parse.MAX_FILE_CHARS + 1)}\n```\n"
    assert "a.ts is too large" in (parse_reply(Reply(big)).problem or "")
    many = "".join(f"### f{n}.ts\n```ts\nx\n```\n" for n in range(parse.MAX_FILES + 1))
    assert f"at most {parse.MAX_FILES}" in (parse_reply(Reply(many)).problem or "")


PIECES = st.sampled_from(
    [
        *(
            "```",
            "````",
            "~~~",
            "```ts",
            "```ts convex/a.ts",
            "### convex/b.ts",
            "**c.ts**",
            "`d.ts`:",
            "// convex/e.ts",
        ),
        *(
            "../../x.ts",
            "/etc/passwd",
            "C:\\x.ts",
            "<think>",
            "</think>",
            "> ```",
            "- ```js",
            "\x00",
            "\ud800",
            "\r",
            "# ",
        ),
        *(
            '"use node";',
            "node_modules/x.js",
            "a.ts/b.ts",
            "A.ts",
            "package-lock.json",
            "```markdown",
            "code();",
            "",
            " ",
        ),
    ]
)
STOPS = st.sampled_from(["stop", "length", "refused", "unknown"])


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.lists(PIECES, max_size=25).map("\n".join), st.text(max_size=400)), STOPS, st.text(max_size=60))
def test_no_text_breaks_it_and_no_file_is_unsafe(text: str, stop: str, task: str) -> None:
    submission = parse_reply(Reply(text, stop=stop), task)  # type: ignore[arg-type]
    assert all(refusal(path) is None for path in submission.files)
    assert submission.files or submission.problem
    assert parse_reply(Reply(text, stop=stop), task) == submission  # type: ignore[arg-type]


SAFE_TEXT = st.text(alphabet="abc{}();= \n", max_size=80)
NAMES = st.lists(
    st.sampled_from(["convex/a.ts", "convex/b.ts", "src/App.tsx", "package.json"]), unique=True, min_size=1
)


@settings(max_examples=200, deadline=None)
@given(NAMES, st.data())
def test_what_is_written_plainly_is_read_back(names: list[str], data: st.DataObject) -> None:
    files = {name: data.draw(SAFE_TEXT).replace("\r", "").rstrip("\n") + "\n" for name in names}
    text = "\n".join(f"### {name}\n\n```\n{body}```\n" for name, body in files.items())
    assert parse_reply(Reply(text)).files == files


@pytest.mark.parametrize(
    "piece",
    [
        "```ts\n",
        "```\n",
        "### a.ts\n```ts\n",
        "> " * 50 + "\n",
        "a" * 299 + "\n```\n",
        "`" * 7,
        "**",
        "file " * 60 + "\n```\n",
        " " * 290 + "x\n```ts\n",
        "// " + " " * 290 + "\n",
        "a/" * 2000 + "\n```\n",
        "```ts\n\n\n\n\n\n",
    ],
)
def test_hostile_repetition_is_read_in_linear_time(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    started = time.process_time()
    parse_reply(Reply(text))
    assert time.process_time() - started < 4
