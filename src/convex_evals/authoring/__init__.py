"""Tools for those who write evals."""
