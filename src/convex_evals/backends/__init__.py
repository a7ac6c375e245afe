"""Backends and the clients that talk to them. Only `embedded.py` may import `convex_embedded`."""
