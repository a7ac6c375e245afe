"""Paths of project files as text: what one may be (parser and workspace apply the same rule), and what looks like one.

Pure: nothing here touches a disk. It knows neither replies nor evals. Every function is linear in hostile input.
"""

from __future__ import annotations

import re

MAX_PATH_CHARS = 200
MAX_SEGMENT_CHARS = 100
LOCK_FILES = frozenset(
    {
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "yarn.lock",
        "bun.lock",
        "bun.lockb",
        "deno.lock",
    }
)
_FORBIDDEN_SEGMENTS = frozenset({"node_modules", ".git"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNPORTABLE = re.compile(r'[<>:"|?*]')
_DRIVE = re.compile(r"^[A-Za-z]:")
_EXTENSIONS = frozenset(
    (
        *("ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "json", "jsonc", "json5", "md", "mdx", "css", "scss"),
        *("sass", "less", "html", "htm", "svg", "txt", "toml", "yaml", "yml", "env", "sh", "sql", "graphql", "gql"),
        *("xml", "csv", "local", "example", "lock", "ini", "conf", "prisma", "wasm", "py"),
    )
)
_BARE_NAMES = frozenset({"dockerfile", "makefile", "license", "procfile"})
_PRODUCTS = frozenset({"node", "next", "vue", "react", "express", "nuxt", "three", "d3", "chart", "discord", "alpine"})
_SYSTEM_FOLDERS = frozenset({"bin", "dev", "etc", "home", "opt", "proc", "root", "sys", "tmp", "usr", "var"})
_TOKEN_EDGE = "\"'`,;:!?*|<>"


def normalize(path: str) -> str:
    """The path with forward slashes and without `./` and doubled slashes; says nothing about whether it is allowed."""
    text = path.replace("\\", "/")
    absolute = text.startswith("/")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    return ("/" if absolute else "") + "/".join(parts)


def refusal(path: str) -> str | None:
    """Why a normalized path may not be written, or None when it may."""
    if not path:
        return "is empty"
    return _refusal_of_form(path) or _refusal_of_place(path)


def _refusal_of_form(path: str) -> str | None:
    if _CONTROL.search(path):
        return "contains a control character"
    if any("\ud800" <= char <= "\udfff" for char in path):
        return "is not valid Unicode"
    if len(path) > MAX_PATH_CHARS or any(len(part.encode()) > MAX_SEGMENT_CHARS for part in path.split("/")):
        return f"is too long (at most {MAX_PATH_CHARS} characters, {MAX_SEGMENT_CHARS} bytes a name)"
    return None


def _refusal_of_place(path: str) -> str | None:
    parts = path.split("/")
    if _DRIVE.match(path):
        return "names a drive"
    if path.startswith(("/", "~")):
        return "is absolute"
    if ".." in parts:
        return "leaves the project"
    if "\\" in path or _UNPORTABLE.search(path):
        return "contains a character that file systems reserve"
    if any(part in ("", ".") or part.endswith((" ", ".")) or part.startswith(" ") for part in parts):
        return "has a name that file systems read differently"
    for part in parts:
        if part.lower() in _FORBIDDEN_SEGMENTS:
            return f"lies in {part}"
    if parts[-1].lower() in LOCK_FILES:
        return "is a lock file"
    return None


def is_generated(path: str) -> bool:
    """Whether the path lies in a `_generated` folder, which the toolchain writes itself."""
    return "_generated" in path.lower().split("/")[:-1]


def clash(paths: list[str]) -> str | None:
    """Why these paths cannot all exist on every file system (letter case, a file where a folder is needed), or None."""
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            return f"{other} and {path} differ only in letter case"
    folders: dict[str, str] = {}
    for path in paths:
        parts = path.casefold().split("/")
        for depth in range(1, len(parts)):
            folders.setdefault("/".join(parts[:depth]), path)
    for folded, path in seen.items():
        if folded in folders:
            return f"{path} is a file and the folder of {folders[folded]}"
    return None


def paths_in(text: str) -> tuple[str, ...]:
    """Every path that a text names, normalized, in order of appearance, each once."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        for path in paths_of_line(line):
            found.setdefault(normalize(path))
    return tuple(found)


def paths_of_line(line: str) -> list[str]:
    """The paths in a line as written: those in backticks if there are any, else every word that is one."""
    line = line[:2_000]
    ticked = [as_path(part.strip()) for part in line.split("`")[1::2]]
    words = line.replace("**", " ").split()
    found = [path for path in ticked if path] or [path for path in map(as_path, words) if path]
    return list(dict.fromkeys(found))


def as_path(token: str) -> str | None:
    """The token as a path if it looks like one. Dangerous ones count: they have to be refused, not overlooked."""
    token = token.strip(_TOKEN_EDGE)
    while len(token) > 1 and (token[0], token[-1]) in (("(", ")"), ("_", "_")):
        token = token[1:-1].strip(_TOKEN_EDGE)
    if token.endswith(".") and not token.endswith(".."):
        token = token[:-1]
    if not token or len(token) > 5_000 or "://" in token or any(char in ' \t<>*{}=;`"' for char in token):
        return None
    # `app/(main)/page.tsx`: parentheses that are whole folder names are part of the path, others are calls.
    plain = re.sub(r"(^|/)\([\w-]+\)(?=/)", r"\1group", token)
    return token if "(" not in plain and ")" not in plain and _looks_like_path(plain) else None


def _looks_like_path(token: str) -> bool:
    text = token.replace("\x00", "").replace("\\", "/")
    name = text.rsplit("/", 1)[-1]
    if text.startswith(("~/", "../")) or "/../" in text or (_DRIVE.match(text) and text[2:3] == "/"):
        return bool(re.search(r"\w", name))
    if text.startswith("/") and "." not in name:
        # `/api/messages` is a route that prose talks about; `/etc/passwd` is a file that must be refused by name.
        return text.split("/")[1] in _SYSTEM_FOLDERS
    if text.startswith("@"):
        return False
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return "/" in text and name.lower() in _BARE_NAMES
    if not (extension[:1].isascii() and extension[:1].isalpha() and extension.isalnum()):
        return False
    if not stem:  # .gitignore, .env
        return len(extension) > 2
    if "/" not in text and stem.lower() in _PRODUCTS and extension == "js":
        return False
    return ("/" in text and len(extension) <= 10) or extension.lower() in _EXTENSIONS or stem.startswith(".")
