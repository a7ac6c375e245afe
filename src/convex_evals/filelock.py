"""A lock that one process at a time holds on a file and that dies with its process. Knows not what it guards."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from convex_evals.errors import UsageError

if sys.platform == "win32":
    import msvcrt

    def _acquire(descriptor: int) -> None:
        os.lseek(descriptor, 1_000, os.SEEK_SET)  # beyond the text: Windows locks bytes against reading too
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _acquire(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """Held from construction to release(). Raises UsageError, with the holder's process id, when another holds it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _acquire(self._descriptor)
        except OSError as error:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise UsageError(f"{path.parent} is being written by another process {holder}".rstrip()) from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"(pid {os.getpid()})\n".encode())

    def release(self) -> None:
        """Let others have it; the file stays."""
        os.close(self._descriptor)
