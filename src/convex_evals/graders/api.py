"""All that a `grader.py` may import: `from convex_evals.graders.api import Grading, wait_until, …`.

A grader is a file of `async def test_<what_is_promised>(g: Grading) -> None`, run in source order; before each test
every table of both deployments is cleared. It asserts plainly, with values in the message.
"""

from convex_evals.backends.client import Client
from convex_evals.backends.evidence import CallEvidence
from convex_evals.backends.failures import CallFailed
from convex_evals.backends.sync import Subscription
from convex_evals.backends.values import Int64, Value
from convex_evals.graders.compare import compare_function_spec, compare_schema
from convex_evals.graders.deployed import Cron, Deployed, Evidence, SiteResponse
from convex_evals.graders.grading import Grading
from convex_evals.graders.loopback import Loopback, Recorded, loopback
from convex_evals.graders.page import Page
from convex_evals.graders.source import Call, Export, Import, Source
from convex_evals.graders.waiting import assert_equal, diff, raises, rejects, same, wait_until

__all__ = [
    "Call",
    "CallEvidence",
    "CallFailed",
    "Client",
    "Cron",
    "Deployed",
    "Evidence",
    "Export",
    "Grading",
    "Import",
    "Int64",
    "Loopback",
    "Page",
    "Recorded",
    "SiteResponse",
    "Source",
    "Subscription",
    "Value",
    "assert_equal",
    "compare_function_spec",
    "compare_schema",
    "diff",
    "loopback",
    "raises",
    "rejects",
    "same",
    "wait_until",
]
