"""`python -m convex_evals.cli`, the same as `convex-evals`."""

from convex_evals.cli import main

main()
