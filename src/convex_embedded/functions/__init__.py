"""The brain of a deployment: it runs functions against the store through the sandbox.

Pushes, queries, mutations, actions, scheduling, crons, files, components, system functions, evidence. Knows the store
and the seam of the sandbox; knows nothing of HTTP or WebSocket.
"""
