"""What a deployment says when one of its functions fails: data for graders, never a verdict by itself."""

from __future__ import annotations

from convex_evals.backends.values import Value


class CallFailed(Exception):
    """A function of the deployment threw, was refused, or does not exist."""

    def __init__(self, path: str, message: str, data: Value = None, log_lines: tuple[str, ...] = ()) -> None:
        super().__init__(path, message)
        self.path = path
        """What was called, e.g. "messages:send"."""
        self.message = message
        """The error text as the deployment sent it, stack lines included."""
        self.data = data
        """Data of a ConvexError, decoded; None for any other error."""
        self.log_lines = log_lines

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
