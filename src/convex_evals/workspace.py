"""Project files between memory and disk. The only writer of model output to disk, and the reader of project folders.

Writing never follows a link, never leaves the root, never replaces what is there. Reading a folder applies the rules
that a reply must keep, so that a folder that anyone made is graded like a reply. Knows neither evals nor replies.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from convex_evals.errors import ReplyUnusable
from convex_evals.paths import LOCK_FILES, clash, is_generated, refusal
from convex_evals.types import Files

MAX_FOLDER_FILES = 2_000
MAX_FILE_BYTES = 2_000_000
_NOT_PROJECT = frozenset({"node_modules", "_generated", ".git", "__pycache__"})
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


def write_files(files: Files, root: Path) -> None:
    """Write a project below `root`, which is made if it is not there. Raises ReplyUnusable, having written nothing
    outside `root`; what was written inside before the offending file stays."""
    collision = clash(list(files))
    if collision:
        raise ReplyUnusable(f"refused paths: {collision}")
    root.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        reason = "is generated, only the toolchain writes it" if is_generated(path) else refusal(path)
        if reason:
            raise ReplyUnusable(f"refused path {path!a}: it {reason}")
        try:
            body = text.encode()
        except UnicodeEncodeError as error:
            raise ReplyUnusable(f"{path} is not valid Unicode") from error
        _write(root, path, body)


def _write(root: Path, path: str, body: bytes) -> None:
    *folders, name = path.split("/")
    folder = root
    for part in folders:
        folder = folder / part
        try:
            folder.mkdir()
        except FileExistsError as error:
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise ReplyUnusable(f"refused path {path}: {folder.name} is a link or a file") from error
    try:
        descriptor = os.open(folder / name, _FLAGS, 0o644)
    except FileExistsError as error:
        raise ReplyUnusable(f"refused path {path}: it is already there") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)


def read_folder(folder: Path) -> dict[str, str]:
    """The text files of a project folder. Leaves out what tools make (node_modules, _generated, lock files, .git) and
    files that are no text. Raises ReplyUnusable for links, refused names and folders that are no project."""
    if not folder.is_dir():
        raise ReplyUnusable(f"{folder}: no such folder")
    files: dict[str, str] = {}
    _read(folder, "", files)
    collision = clash(list(files))
    if collision:
        raise ReplyUnusable(f"refused paths: {collision}")
    return files


def _read(folder: Path, prefix: str, files: dict[str, str]) -> None:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = prefix + entry.name
        if entry.name in _NOT_PROJECT or entry.name.lower() in LOCK_FILES or entry.name == ".DS_Store":
            continue
        if entry.is_symlink():
            raise ReplyUnusable(f"refused path {path!a}: it is a link")
        if entry.is_dir():
            _read(Path(entry.path), path + "/", files)
            continue
        reason = refusal(path)
        if reason:
            raise ReplyUnusable(f"refused path {path!a}: it {reason}")
        if not entry.is_file() or entry.stat().st_size > MAX_FILE_BYTES:
            raise ReplyUnusable(f"refused path {path!a}: it is too large, or no ordinary file")
        if len(files) >= MAX_FOLDER_FILES:
            raise ReplyUnusable(f"more than {MAX_FOLDER_FILES} files: this is no project folder")
        text = _text(Path(entry.path).read_bytes())
        if text is not None:
            files[path] = text


def _text(body: bytes) -> str | None:
    if b"\x00" in body:
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None
