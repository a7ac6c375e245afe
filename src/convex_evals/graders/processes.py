"""Ending a process with all its children. Knows nothing of what it ran."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress


async def end_group(process: asyncio.subprocess.Process) -> None:
    """Kill the process group that a process leads (start_new_session=True), and wait for the process."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()
    await process.wait()
