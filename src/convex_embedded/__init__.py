"""An embedded Convex backend: trusted side in Python, one sandboxed process for a deployment's code.

Knows no evals; useful by itself.
"""

__version__ = "0.1.0"
