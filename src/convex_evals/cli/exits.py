"""Exit codes, as documented in `convex-evals --help` and docs/how-it-works.md."""

PASSED = 0
"""All went as asked."""
FAILED = 1
"""A grading failed, a validation found a problem, or --fail-under was not reached."""
USAGE = 2
"""An argument names nothing."""
INCOMPLETE = 3
"""Some trials have no verdict; the same command continues."""
SETUP = 4
"""Something has to be installed or configured first."""
