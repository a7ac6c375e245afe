"""What a process has used: CPU seconds and memory, from outside. Knows no calls."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MIB = 2**20


@dataclass(frozen=True)
class Vitals:
    """One look at a process."""

    main_seconds: float
    """CPU of the thread that runs JavaScript: what a function's limit counts."""
    all_seconds: float
    """CPU of all threads, the compiler's and the collector's included."""
    memory_mib: float
    """Resident."""


def look(pid: int) -> Vitals | None:
    """None when the process is gone."""
    try:
        if sys.platform == "linux":
            process = Path(f"/proc/{pid}")
            pages = int((process / "statm").read_bytes().split()[1])
            main, every = _cpu(process / f"task/{pid}/stat"), _cpu(process / "stat")
            return Vitals(main, every, pages * _PAGE_BYTES / _MIB)
        one = psutil.Process(pid)
        times = one.cpu_times()
        used = times.user + times.system
        return Vitals(used, used, one.memory_info().rss / _MIB)
    except (OSError, psutil.Error):
        return None


def _cpu(stat: Path) -> float:
    # The command's name, in parentheses, may hold spaces; utime and stime are the 12th and 13th fields after it.
    fields = stat.read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
