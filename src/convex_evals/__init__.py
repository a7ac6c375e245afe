"""convex-evals: find out, and prove, how well a language model writes Convex backends."""

__version__ = "0.1.0"
