"""One Deno process: how it is started, bounded and ended, and the bytes of its pipes.

Lines go in and out; what they mean is `session`'s business. Everything that comes out is hostile input: a line has a
largest size, and what is written to stderr is kept only as far as its last few kilobytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from convex_embedded.types import SandboxError

LARGEST_LINE_BYTES = 64 * 2**20
STDERR_BYTES = 8192
READ_BYTES = 1 << 20
OPEN_FILES = 256
LARGEST_FILE_BYTES = 64 * 2**20
REAP_SECONDS = 0.005
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def deno_flags(memory_mib: int) -> tuple[str, ...]:
    """No permission at all: none is granted, and nothing can be asked for."""
    return (
        "run",
        "--quiet",
        "--no-prompt",
        "--no-config",
        "--no-remote",
        "--no-npm",
        "--no-lock",
        f"--v8-flags=--max-old-space-size={memory_mib}",
    )


def _confine() -> None:
    """Runs in the child before Deno: it dies with us, leaves no core dumps, and is out of our terminal's reach."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, LARGEST_FILE_BYTES))


class Process:
    """A running child. `on_lines` gets complete lines; `on_exit` is called once, when its output has ended."""

    def __init__(
        self, command: Sequence[str], folder: Path, on_lines: Callable[[list[bytes]], None], on_exit: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_lines = on_lines
        self._on_exit = on_exit
        self._tail = b""
        self._parts: list[bytes] = []
        self._held_bytes = 0
        self._unsent = bytearray()
        self.killed = False
        self._gone: asyncio.Future[int] = self._loop.create_future()
        self.stderr = b""
        self.bytes_read = 0
        self.line_too_long = False
        environment = {"TZ": "UTC", "NO_COLOR": "1", "DENO_DIR": str(folder / "deno"), "DENO_NO_UPDATE_CHECK": "1"}
        try:
            # The limits are set between fork and exec; nothing in there allocates or takes locks of ours.
            self._child = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                preexec_fn=_confine,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxError(f"could not start {command[0]}: {error}") from error
        self.pid = self._child.pid
        assert self._child.stdin
        assert self._child.stdout
        assert self._child.stderr
        self._stdin, self._stdout, self._stderr = (
            self._child.stdin.fileno(),
            self._child.stdout.fileno(),
            self._child.stderr.fileno(),
        )
        for descriptor in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(descriptor, False)
        self._loop.add_reader(self._stdout, self._readable)
        self._loop.add_reader(self._stderr, self._complains)

    @property
    def alive(self) -> bool:
        return not self._gone.done() and not self._child.stdout.closed  # type: ignore[union-attr]

    @property
    def unsent_bytes(self) -> int:
        """What was written and the child has not taken."""
        return len(self._unsent)

    @property
    def return_code(self) -> int | None:
        return self._child.poll()

    def write(self, data: bytes) -> bool:
        """Never blocks; what the pipe does not take is kept. False when the child has gone or was killed."""
        if self.killed or not self.alive:
            return False
        if not self._unsent:
            data = data[self._send(data) :]
            if data:
                self._loop.add_writer(self._stdin, self._writable)
        self._unsent += data
        return True

    def kill(self) -> None:
        """End the child and whatever it started, at once. `on_exit` follows."""
        self.killed = True
        self._unsent.clear()
        # Once reaped, the number may be another process's.
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """The return code, when the child is gone and its pipes are closed."""
        return await asyncio.shield(self._gone)

    def _send(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._stdin, data)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(data)

    def _writable(self) -> None:
        del self._unsent[: self._send(self._unsent)]
        if not self._unsent:
            self._loop.remove_writer(self._stdin)

    def _readable(self) -> None:
        try:
            data = os.read(self._stdout, READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._close()
            return
        self.bytes_read += len(data)
        head, newline, rest = data.rpartition(b"\n")
        if not newline:
            self._parts.append(data)
            self._held_bytes += len(data)
            if self._held_bytes > LARGEST_LINE_BYTES:
                self.line_too_long = True
                self._parts.clear()
                self.kill()
            return
        self._parts.append(head)
        lines = b"".join(self._parts).split(b"\n")
        self._parts = [rest] if rest else []
        self._held_bytes = len(rest)
        self._on_lines(lines)

    def _complains(self) -> None:
        try:
            data = os.read(self._stderr, READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self.stderr = (self.stderr + data)[-STDERR_BYTES:]
        else:
            self._loop.remove_reader(self._stderr)

    def _close(self) -> None:
        """The output has ended: so has the process, or it will now."""
        self._loop.remove_reader(self._stdout)
        self._loop.remove_writer(self._stdin)
        self._complains()
        self._loop.remove_reader(self._stderr)
        self.kill()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            assert pipe is not None
            pipe.close()
        self._reap()

    def _reap(self) -> None:
        code = self._child.poll()
        if code is None:
            self._loop.call_later(REAP_SECONDS, self._reap)
            return
        self._gone.set_result(code)
        self._on_exit()
