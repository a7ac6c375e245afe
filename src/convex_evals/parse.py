"""A model's reply → the files of a project. Pure: no disk, no clock, never raises on any text.

Models write files in many forms; `_path_of` lists the ones that are understood, strongest first. Nothing is guessed in
silence: every decision that was not certain is a note of the submission, and what cannot be graded is its `problem`.
Every loop here is linear in the reply, because a reply is hostile input.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from convex_evals.paths import as_path, clash, is_generated, normalize, paths_in, paths_of_line, refusal
from convex_evals.types import Reply, Submission

MAX_REPLY_CHARS = 2_000_000
MAX_FILE_CHARS = 500_000
MAX_FILES = 200
MAX_NOTES = 50
_LINE_CHARS = 300
"""A line that names a file is not longer than this."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_FENCE = re.compile(r"^(?P<indent>[ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?)(?P<run>`{3,}|~{3,})(?P<info>.*)$")
_THINKING = re.compile(r"\A\s*<(think|thinking)>")
_LIST_MARK = re.compile(r"^\s*(?:>\s?)*(?:[-*+•]|\d{1,3}[.)])\s+")
_HEADING = re.compile(r"^\s*(?:>\s?)*#{1,6}\s*")
_LABEL = re.compile(
    r"^(?:\d{1,3}[.)]\s*)?(?:(?:new|updated|create|the)\s+)?(?:file\s*name|filename|file\s*path|filepath|file|path)"
    r"[\s\d]*[:=]\s*",
    re.IGNORECASE,
)
_COMMENT_MARKS = (("//", ""), ("/*", "*/"), ("<!--", "-->"), ("# ", ""), ("-- ", ""))
_DIRECTIVE = re.compile(r"""^\s*(['"])use \w+\1;?\s*$""")
_INFO_NAMED = re.compile(r"""(?:title|filename|file|path|name)\s*[=:]\s*["']?([^"'\s}]+)""", re.IGNORECASE)
_LANGUAGE_PREFIX = re.compile(r"^[A-Za-z+#]{2,12}:")
_SHELL = frozenset({"bash", "sh", "shell", "zsh", "console", "terminal", "powershell", "shellsession", "cmd", "bat"})
_MARKDOWN = frozenset({"markdown", "md", "mdx"})

_STRONG, _INFO, _COMMENTED, _SENTENCE, _TASK = "heading", "fence", "comment", "sentence", "task"
_CERTAIN = frozenset({_STRONG, _INFO})


@dataclass(frozen=True)
class _Block:
    """One fenced block, with the prose since the block before it."""

    before: tuple[str, ...]
    info: str
    body: tuple[str, ...]
    closed: bool

    @property
    def language(self) -> str:
        return re.split(r"[\s:{,]", self.info.strip(), maxsplit=1)[0].lower()

    @property
    def label(self) -> str:
        return f"a block of {len(self.body)} lines ({self.language or 'no language'})"


@dataclass
class _Result:
    """What has been read so far."""

    files: dict[str, str] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        if len(self.notes) < MAX_NOTES and text not in self.notes:
            self.notes.append(text)


def parse_reply(reply: Reply, task: str = "") -> Submission:
    """The project in a reply. `task` is read only to place a lone block, when it names exactly one file."""
    result = _Result()
    if len(reply.text) > MAX_REPLY_CHARS:
        result.problems.append(f"the reply is too large: {len(reply.text)} characters, at most {MAX_REPLY_CHARS}")
    else:
        text = _without_thinking(reply.text, result)
        blocks = _blocks(_LINE_END.split(text))
        _collect(blocks, result, nested=True)
        if not result.files and not result.problems:
            _place_lone_block(blocks, task, result)
        _check_whole(reply, result)
    if reply.stop == "length":
        result.problems.insert(0, "the reply was cut off at the output limit (truncated)")
    if reply.stop == "refused":
        result.problems.insert(0, "the model refused to answer")
    problem = "; ".join(result.problems[:10]) or None
    return Submission(files=dict(sorted(result.files.items())), reply=reply, notes=tuple(result.notes), problem=problem)


def _without_thinking(text: str, result: _Result) -> str:
    opened = _THINKING.match(text)
    if opened is None:
        return text
    end = text.find(f"</{opened.group(1)}>")
    if end < 0:
        return text
    result.note("text between thinking tags was not read")
    return text[end + len(opened.group(1)) + 3 :]


# --- fences ---------------------------------------------------------------------------------------------------------


def _blocks(lines: Sequence[str]) -> list[_Block]:
    blocks: list[_Block] = []
    before: list[str] = []
    index = 0
    while index < len(lines):
        fence = _opening(lines[index])
        if fence is None:
            if lines[index].strip():
                before.append(lines[index])
            index += 1
            continue
        block, index = _read_block(lines, index, fence, tuple(before[-6:]))
        blocks.append(block)
        # A command between a heading and its file does not use the heading up.
        before = list(block.before) if _is_command(block) else []
    return blocks


def _opening(line: str) -> re.Match[str] | None:
    if len(line) > 10_000:
        return None
    fence = _FENCE.match(line)
    if fence is None or (fence["run"][0] == "`" and "`" in fence["info"]):
        return None
    return fence


def _read_block(lines: Sequence[str], start: int, fence: re.Match[str], before: tuple[str, ...]) -> tuple[_Block, int]:
    info = fence["info"].strip()
    head = _Block(before, info, (), True)
    named = _certain_path(head)
    markdown = head.language in _MARKDOWN or (named is not None and named.lower().endswith((".md", ".mdx")))
    end, following, closed = _find_end(lines, start + 1, fence["run"], markdown)
    indent = re.sub(r"[^ \t]", " ", fence["indent"])
    body = tuple(_dedent(line, len(indent), ">" in fence["indent"]) for line in lines[start + 1 : end])
    return _Block(before, info, body, closed), following


def _find_end(lines: Sequence[str], start: int, run: str, markdown: bool) -> tuple[int, int, bool]:
    """Where the body ends, where reading goes on, and whether the fence was closed."""
    depth = 0
    for index in range(start, len(lines)):
        inner = _opening(lines[index])
        if inner is None or inner["run"][0] != run[0] or len(inner["run"]) < len(run):
            continue
        if not inner["info"].strip():
            if depth == 0:
                return index, index + 1, True
            depth -= 1
            continue
        cut = None if markdown else _new_file_above(lines, start, index, inner["info"])
        if cut is not None:
            return cut, cut, False
        depth += 1
    return len(lines), len(lines), False


def _new_file_above(lines: Sequence[str], start: int, index: int, info: str) -> int | None:
    """The line at which another file begins, when a fence opens inside a block that was never closed."""
    above = index - 1
    while above > start and not lines[above].strip():
        above -= 1
    if above >= start and not lines[above].lstrip().startswith(("//", "/*")) and _heading_path(lines[above]):
        return above
    return index if _info_path(info) else None


def _dedent(line: str, width: int, quoted: bool) -> str:
    if quoted:
        return re.sub(r"^[ \t]*>[ \t]?", "", line)
    kept = len(line) - len(line.lstrip(" \t"))
    return line[min(kept, width) :]


# --- paths ----------------------------------------------------------------------------------------------------------


def _collect(blocks: Sequence[_Block], result: _Result, nested: bool) -> None:
    for block in blocks:
        inner = _inner_blocks(block) if nested else []
        if inner:
            result.note("the files are inside an outer fence, which was taken off")
            _collect(inner, result, nested=False)
            continue
        path, source = _path_of(block, result)
        if path is not None and block.language != "diff":
            _add(path, source, block, result)
        elif any(line.strip() for line in block.body):
            result.note(f"{block.label} names no file: ignored")


def _inner_blocks(block: _Block) -> list[_Block]:
    """The blocks with files in a block that is itself no file: some models fence their whole reply."""
    if block.language not in _MARKDOWN | {"", "text", "txt"} or _certain_path(block):
        return []
    inner = _blocks(block.body)
    return inner if any(_certain_path(candidate) for candidate in inner) else []


def _path_of(block: _Block, result: _Result) -> tuple[str | None, str]:
    """The path of a block and where it stood: heading or plain line, info string, first comment, sentence before."""
    if _is_command(block):
        return None, ""
    headed, informed, commented = _path_before(block), _info_path(block.info), _comment_path(block.body)
    if headed and informed and normalize(headed) != normalize(informed):
        result.note(f"the heading says {headed}, the fence says {informed}: took the heading")
    if headed:
        return headed, _STRONG
    if informed:
        return informed, _INFO
    if commented:
        return commented, _COMMENTED
    if block.before and block.language not in _SHELL:
        paths = paths_of_line(block.before[-1])
        if len(paths) == 1:
            return paths[0], _SENTENCE
        if paths:
            result.note(f"the line before {block.label} names {len(paths)} files: took none")
    return None, ""


def _certain_path(block: _Block) -> str | None:
    return _path_before(block) or _info_path(block.info)


def _is_command(block: _Block) -> bool:
    """A shell block that is no file: its heading, if it names a file, names another kind of file."""
    if block.language not in _SHELL:
        return False
    named = _certain_path(block)
    return named is None or not normalize(named).lower().endswith((".sh", ".bash", ".zsh", ".local", ".env"))


def _path_before(block: _Block) -> str | None:
    for line in reversed(block.before):
        path = _heading_path(line)
        if path:
            return path
    return None


def _heading_path(line: str) -> str | None:
    """The path of a Markdown heading, a bold line, or a line that is nothing but a path and its marks."""
    if len(line) > _LINE_CHARS:
        return None
    heading = _HEADING.match(line)
    text = line[heading.end() :] if heading else _LIST_MARK.sub("", line)
    text = text.strip().strip("=-").strip()
    bold = text.startswith(("**", "__")) and text.rstrip(": ").endswith(("**", "__"))
    if heading or bold:
        paths = paths_of_line(text)
        return paths[0] if len(paths) == 1 else None
    bare = _LABEL.sub("", text.replace("**", "").replace("`", "")).strip(" :").strip("[]") or ""
    token = as_path(bare)
    return token if token and " " not in token else None


def _info_path(info: str) -> str | None:
    named = _INFO_NAMED.search(info[:1_000])
    if named:
        return as_path(named.group(1))
    for token in info[:1_000].split():
        path = as_path(_LANGUAGE_PREFIX.sub("", token))
        if path:
            return path
    return None


def _comment_path(body: Sequence[str]) -> str | None:
    """The path in a comment that opens the block and says nothing else; a directive may stand above it."""
    lines = [line for line in body[:4] if line.strip()]
    if lines and _DIRECTIVE.match(lines[0]):
        lines = lines[1:]
    text = lines[0].strip() if lines and len(lines[0]) <= _LINE_CHARS else ""
    for opening, closing in _COMMENT_MARKS:
        if text.startswith(opening) and not text.startswith("##"):
            said = text.removeprefix(opening).removesuffix(closing).strip("/*-!=` ")
            return as_path(_LABEL.sub("", said))
    return None


# --- files ----------------------------------------------------------------------------------------------------------


def _add(written: str, source: str, block: _Block, result: _Result) -> None:
    path = normalize(written)
    reason = refusal(path)
    if reason is not None:
        if source in _CERTAIN:
            result.problems.append(f"refused path {_shown(written)}: it {reason}")
        else:
            result.note(f"{block.label} ignored: the path {_shown(written)} {reason}")
        return
    if is_generated(path):
        result.note(f"{path}: dropped, it is generated")
        return
    if path in result.files:
        if source == _SENTENCE and result.source[path] != _SENTENCE:
            result.note(f"{path}: a later block that only a sentence ties to it was ignored")
            return
        result.note(f"{path}: written more than once, the last one counts")
    _explain(path, written, source, block, result)
    result.files[path] = _content(path, block, result)
    result.source[path] = source


def _explain(path: str, written: str, source: str, block: _Block, result: _Result) -> None:
    if "\\" in written:
        result.note(f"{path}: backslashes in its path were read as slashes")
    if source == _COMMENTED:
        result.note(f"{path}: path taken from the comment on its first line")
    if source == _SENTENCE:
        result.note(f"{path}: path taken from the sentence before the block")
    if source == _TASK:
        result.note(f"{path}: path taken from the task, the reply has one block and names no file")
    if not block.closed:
        result.note(f"{path}: its fence is not closed")


def _content(path: str, block: _Block, result: _Result) -> str:
    body = list(block.body)
    if not block.closed:
        while body and not body[-1].strip():
            body.pop()
    if path.endswith(".json") and body and body[0].lstrip().startswith(("//", "/*")) and _comment_path(body):
        result.note(f"{path}: the comment that names the file was taken off, JSON has none")
        body = body[1:]
    return "\n".join(body) + "\n" if body else ""


def _place_lone_block(blocks: Sequence[_Block], task: str, result: _Result) -> None:
    candidates = [block for block in blocks if block.body and block.language not in _SHELL | {"diff"}]
    named = [path for path in paths_in(task) if path not in ("package.json", "tsconfig.json") and not refusal(path)]
    if len(candidates) == 1 and len(named) == 1:
        result.notes = [note for note in result.notes if note != f"{candidates[0].label} names no file: ignored"]
        _add(named[0], _TASK, candidates[0], result)


def _check_whole(reply: Reply, result: _Result) -> None:
    for path, text in result.files.items():
        if "\x00" in text:
            result.problems.append(f"{path} contains a NUL byte")
        elif any("\ud800" <= char <= "\udfff" for char in text):
            result.problems.append(f"{path} is not valid Unicode")
        if len(text) > MAX_FILE_CHARS:
            result.problems.append(f"{path} is too large: {len(text)} characters, at most {MAX_FILE_CHARS}")
    if len(result.files) > MAX_FILES:
        result.problems.append(f"the reply has {len(result.files)} files, at most {MAX_FILES}")
    collision = clash(list(result.files))
    if collision:
        result.problems.append(f"refused paths: {collision}")
    if not result.files and not result.problems:
        result.problems.append("the reply is empty" if not reply.text.strip() else "the reply holds no file")


def _shown(path: str) -> str:
    """A hostile path as it may be printed: escaped and short."""
    text = path if len(path) <= 80 else path[:77] + "..."
    return ascii(text)
