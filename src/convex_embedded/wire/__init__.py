"""What the outside speaks: HTTP, the WebSocket sync protocol, storage and site routes.

Turns frames and requests into calls of the functions room and its outcomes into answers; runs no code itself.
"""
