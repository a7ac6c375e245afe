"""Type checker and linter: one native process of TypeScript 7 with type-aware rules, for as many projects as wait.

Starting costs about as much as checking a small project, so requests that come while one run is under way share the
next. The framing of that process is known here and nowhere else; which lint rules there are is in `lint_rules`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from convex_evals.errors import ToolFailed
from convex_evals.toolchain.entries import CODE_SUFFIXES, functions_folder
from convex_evals.toolchain.lint_rules import NO_OUTSIDE_CALLS, RULES
from convex_evals.toolchain.nouns import Finding
from convex_evals.toolchain.transactions import outside_calls

_WINDOW_SECONDS = 0.01
_BUSY_WINDOW_SECONDS = 0.25
"""Right after a batch more requests are on their way: waiting for them costs less than serving them alone."""
_BATCH = 16
_RUN_SECONDS = 120.0
_ENDLESS_CPU_SECONDS = 30.0
_LARGEST_BYTES = 3 * 2**30
_LOOK_SECONDS = 0.2
_STACK_OVERFLOW = b"stack overflow"
_REMEMBERED = 64
_ERROR, _DIAGNOSTIC = 0, 1
_TYPE_KIND = 1
_TYPED_RULES = {rule.typed_name: rule.id for rule in RULES if rule.typed_name}
_LINT_CODES = frozenset(rule.id for rule in RULES)

Report = Mapping[Path, tuple[Finding, ...]]
"""Project → what was found in it."""


class Checker:
    """Answers for one project at a time, works on many."""

    def __init__(self, tsgolint: Path) -> None:
        self._tsgolint = tsgolint
        self._reports: OrderedDict[str, asyncio.Task[tuple[Finding, ...]]] = OrderedDict()
        self._queue: list[tuple[Path, asyncio.Future[tuple[Finding, ...]]]] = []
        self._runner: asyncio.Task[None] | None = None
        self._last_batch = float("-inf")
        """When the last batch that held several projects ended."""

    async def types(self, project: Path) -> tuple[Finding, ...]:
        """Findings of the type checker."""
        return tuple(found for found in await self._findings(project) if found.code not in _LINT_CODES)

    async def lint(self, project: Path) -> tuple[Finding, ...]:
        """Findings of the lint rules."""
        return tuple(found for found in await self._findings(project) if found.code in _LINT_CODES)

    async def close(self) -> None:
        """Wait for no one: stop what is under way."""
        for task in [*self._reports.values(), *([self._runner] if self._runner else [])]:
            task.cancel()
        await asyncio.gather(*self._reports.values(), *([self._runner] if self._runner else []), return_exceptions=True)

    async def _findings(self, project: Path) -> tuple[Finding, ...]:
        """One run serves both questions about the same files."""
        root = project.resolve()
        key = _fingerprint(root)
        task = self._reports.get(key)
        if task is None or (task.done() and task.exception() is not None):
            task = self._reports[key] = asyncio.create_task(self._queued(root))
        self._reports.move_to_end(key)
        while len(self._reports) > _REMEMBERED and next(iter(self._reports.values())).done():
            self._reports.popitem(last=False)
        return await asyncio.shield(task)

    async def _queued(self, root: Path) -> tuple[Finding, ...]:
        future: asyncio.Future[tuple[Finding, ...]] = asyncio.get_running_loop().create_future()
        self._queue.append((root, future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        now = asyncio.get_running_loop().time()
        busy = now - self._last_batch < 4 * _BUSY_WINDOW_SECONDS
        await asyncio.sleep(_BUSY_WINDOW_SECONDS if busy else _WINDOW_SECONDS)  # a window for others
        while self._queue:
            batch, self._queue = self._queue[:_BATCH], self._queue[_BATCH:]
            try:
                await self._serve(batch)
            finally:
                if len(batch) > 1:
                    self._last_batch = asyncio.get_running_loop().time()
                for _, future in batch:
                    if not future.done():  # a defect of ours: nobody is to wait for ever because of it
                        future.set_exception(ToolFailed("the type checker stopped before it answered"))

    async def _serve(self, batch: Sequence[tuple[Path, asyncio.Future[tuple[Finding, ...]]]]) -> None:
        try:
            report = await self._run(list(dict.fromkeys(root for root, _ in batch)))
        except ToolFailed:
            await self._one_by_one(batch)
            return
        for root, future in batch:
            _settle(future, report[root])

    async def _one_by_one(self, batch: Sequence[tuple[Path, asyncio.Future[tuple[Finding, ...]]]]) -> None:
        """After a run failed: only the project that breaks the tool is to suffer."""
        for root, future in batch:
            try:
                _settle(future, (await self._run([root]))[root])
            except ToolFailed as error:
                if not future.done():
                    future.set_exception(error)

    async def _run(self, roots: Sequence[Path]) -> Report:
        files = {str(file): root for root in roots for file in (*_function_files(root), *_app_files(root))}
        if not files:
            return {root: () for root in roots}
        try:
            output = await self._process(json.dumps(_request(roots)).encode(), _ENDLESS_CPU_SECONDS + len(roots))
        except _Overrun as error:
            if len(roots) > 1:
                raise ToolFailed(f"{error}, over a batch") from error
            return {roots[0]: (Finding("", 0, 0, "endless", str(error), True),)}
        found = {root: _own_findings(root) for root in roots}
        for message in _messages(output):
            root = files.get(message.get("file_path") or "")
            if root is not None:
                found[root].append(_finding(root, message))
        return {root: tuple(sorted(set(items), key=_place)) for root, items in found.items()}

    async def _process(self, request: bytes, cpu_seconds: float) -> bytes:
        """The output. Raises _Overrun for what the code did to the checker, ToolFailed."""
        process = await asyncio.create_subprocess_exec(
            str(self._tsgolint),
            "headless",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={"GOGC": "400", "GOMEMLIMIT": "1500MiB", "HOME": os.devnull},
            start_new_session=True,
        )
        watch = asyncio.create_task(_stop_overrun(process, cpu_seconds))
        try:
            async with asyncio.timeout(_RUN_SECONDS):
                output, errors = await process.communicate(request)
        except TimeoutError as error:
            raise ToolFailed(f"the type checker did not finish in {_RUN_SECONDS:.0f} seconds") from error
        finally:
            watch.cancel()
            (stopped,) = await asyncio.gather(watch, return_exceptions=True)
            if process.returncode is None:
                process.kill()
                # It counts as ended when its pipes are empty: what nobody reads any more would hold `wait` for ever.
                await process.communicate()
        if isinstance(stopped, str):
            raise _Overrun(stopped)
        if process.returncode != 0 and _STACK_OVERFLOW in errors:
            raise _Overrun("the code is nested so deeply that type checking it overflows the stack")
        if process.returncode != 0:
            text = errors.decode("utf-8", "replace").strip()[-1000:]
            raise ToolFailed(f"the type checker ended with status {process.returncode}: {text}")
        return output


class _Overrun(Exception):
    """The code that was checked is endless, or too large for any checker."""


async def _stop_overrun(process: Process, cpu_seconds: float) -> str:
    """Kill the process as soon as it has used too much, and say what. Until then it waits."""
    if sys.platform == "linux":  # so that it ends even if we are killed and nobody watches any more
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(process.pid).rlimit(psutil.RLIMIT_CPU, (int(cpu_seconds) + 5, int(cpu_seconds) + 5))
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            looked = psutil.Process(process.pid)
            used, memory = looked.cpu_times(), looked.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        if used.user + used.system > cpu_seconds:
            process.kill()
            return f"type checking used more than {cpu_seconds:.0f} seconds of CPU and was stopped"
        if memory > _LARGEST_BYTES:
            process.kill()
            return f"type checking used more than {_LARGEST_BYTES // 2**20} MiB of memory and was stopped"


def _request(roots: Sequence[Path]) -> Mapping[str, Any]:
    """Everything is type-checked; only functions are linted, since for apps the rules are a matter of taste."""
    typed = [rule for rule in RULES if rule.typed_name]
    rules = [{"name": rule.typed_name, **({"options": rule.options} if rule.options else {})} for rule in typed]
    functions = [str(file) for root in roots for file in _function_files(root)]
    apps = [str(file) for root in roots for file in _app_files(root)]
    return {
        "version": 2,
        "configs": [{"file_paths": functions, "rules": rules}, {"file_paths": apps, "rules": []}],
        "report_syntactic": True,
        "report_semantic": True,
    }


def _settle(future: asyncio.Future[tuple[Finding, ...]], result: tuple[Finding, ...]) -> None:
    if not future.done():
        future.set_result(result)


def _own_findings(root: Path) -> list[Finding]:
    return [
        Finding(
            file.relative_to(root).as_posix(),
            line,
            column,
            NO_OUTSIDE_CALLS,
            f"{name} throws here: use an action",
            True,
        )
        for file in _function_files(root)
        for line, column, name in outside_calls(file.read_text("utf-8", "replace"), file.name)
    ]


def _messages(output: bytes) -> Iterator[Mapping[str, Any]]:
    """Diagnostics of the answer: frames of length (u32, little endian), kind (u8) and JSON."""
    at = 0
    while at < len(output):
        length, kind = struct.unpack_from("<IB", output, at)
        body = json.loads(output[at + 5 : at + 5 + length])
        at += 5 + length
        if kind == _ERROR:
            raise ToolFailed(f"the type checker reports: {body}")
        if kind == _DIAGNOSTIC:
            yield body


def _finding(root: Path, message: Mapping[str, Any]) -> Finding:
    file = Path(message["file_path"])
    line, column = _line_and_column(file.read_bytes(), message["range"]["pos"])
    text = message["message"]["description"]
    code = message["message"]["id"] if message["kind"] == _TYPE_KIND else _TYPED_RULES[message["rule"]]
    return Finding(file.relative_to(root).as_posix(), line, column, code, text, counts=True)


def _line_and_column(text: bytes, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count(b"\n") + 1, len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1


def _place(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.file, finding.line, finding.column, finding.code, finding.message


def _function_files(root: Path) -> list[Path]:
    folder = functions_folder(root)
    return [file for file in _walk(folder) if _is_code(file)] if folder.is_dir() else []


def _app_files(root: Path) -> list[Path]:
    functions, source = functions_folder(root), root / "src"
    files = _walk(source) if source.is_dir() else ()
    return [file for file in files if _is_code(file) and not file.is_relative_to(functions)]


def _is_code(file: Path) -> bool:
    return file.name.endswith(CODE_SUFFIXES) and not file.name.endswith((".d.ts", ".d.mts", ".d.cts"))


def _walk(folder: Path) -> Iterator[Path]:
    for child in sorted(folder.iterdir()):
        if child.is_symlink() or child.name in {"node_modules", "_generated"}:
            continue
        if child.is_dir():
            yield from _walk(child)
        else:
            yield child


def _fingerprint(root: Path) -> str:
    digest = hashlib.sha256(str(root).encode())
    link = root / "node_modules"
    digest.update(str(link.resolve()).encode())
    for file in _everything(root):
        content = file.read_bytes()
        digest.update(f"\0{file.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _everything(folder: Path) -> Iterator[Path]:
    for child in sorted(folder.iterdir()):
        if child.is_symlink() or child.name == "node_modules":
            continue
        if child.is_dir():
            yield from _everything(child)
        else:
            yield child
