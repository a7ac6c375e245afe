"""Lets the tests of the core import their tiny worlds."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
