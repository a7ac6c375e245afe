"""Frames of the sync protocol: strict decoding of what clients send, encoding of what they are told. No state.

Timestamps travel as eight little-endian bytes in base64.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from convex_embedded.functions.nouns import Outcome

MAX_FRAME_BYTES = 18 * 1024 * 1024
"""Arguments may be 16 MiB; the rest is room for the frame around them."""

U32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
Path = Annotated[str, msgspec.Meta(max_length=1024)]
Args = Annotated[list[Any], msgspec.Meta(max_length=1)]


class ProtocolError(Exception):
    """The client broke the protocol: the session is closed with this text."""


class Connect(msgspec.Struct, tag_field="type", rename="camel"):
    """First frame of a connection."""

    session_id: Annotated[str, msgspec.Meta(max_length=128)]
    connection_count: int = 0
    last_close_reason: str | None = None
    max_observed_timestamp: str | None = None
    client_ts: float | None = None


class Authenticate(msgspec.Struct, tag_field="type", rename="camel"):
    """A new identity for everything that follows."""

    token_type: str
    base_version: U32
    value: str = ""
    impersonating: dict[str, Any] | None = None


class Add(msgspec.Struct, tag_field="type", rename="camel"):
    """Subscribe to a query."""

    query_id: U32
    udf_path: Path
    args: Args
    journal: str | None = None
    component_path: str | None = None


class Remove(msgspec.Struct, tag_field="type", rename="camel"):
    """Drop a subscription."""

    query_id: U32


class ModifyQuerySet(msgspec.Struct, tag_field="type", rename="camel"):
    """Changes of the set of live queries."""

    base_version: U32
    new_version: U32
    modifications: list[Add | Remove]


class Mutation(msgspec.Struct, tag_field="type", rename="camel"):
    """Run a mutation, in order."""

    request_id: U32
    udf_path: Path
    args: Args
    component_path: str | None = None


class Action(msgspec.Struct, tag_field="type", rename="camel"):
    """Run an action, at once."""

    request_id: U32
    udf_path: Path
    args: Args
    component_path: str | None = None


class Event(msgspec.Struct, tag_field="type", rename="camel"):
    """Telemetry; ignored."""

    event_type: str = ""
    event: Any = None


ClientMessage = Connect | Authenticate | ModifyQuerySet | Mutation | Action | Event
_decoder = msgspec.json.Decoder(ClientMessage)


def decode_message(text: str) -> ClientMessage:
    """One text frame. Raises ProtocolError."""
    try:
        message: ClientMessage = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ProtocolError(f"Received an invalid message: {error}") from error
    return message


def encode_ts(ts_ns: int) -> str:
    """Nanoseconds → wire."""
    return base64.b64encode(ts_ns.to_bytes(8, "little")).decode("ascii")


def decode_ts(text: str) -> int:
    """Wire → nanoseconds. Raises ValueError."""
    raw = base64.b64decode(text, validate=True)
    if len(raw) != 8:
        raise ValueError("a timestamp has eight bytes")
    return int.from_bytes(raw, "little")


@dataclass(frozen=True)
class Version:
    """The state of a client: the last transition's end is the next one's start."""

    query_set: int = 0
    identity: int = 0
    ts_ns: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"querySet": self.query_set, "identity": self.identity, "ts": encode_ts(self.ts_ns)}


def transition(start: Version, end: Version, modifications: list[Any]) -> dict[str, Any]:
    """From one state of the client to the next."""
    return {
        "type": "Transition",
        "startVersion": start.to_json(),
        "endVersion": end.to_json(),
        "modifications": modifications,
    }


def query_changed(query_id: int, outcome: Outcome) -> dict[str, Any]:
    """QueryUpdated or QueryFailed; errorData is absent for ordinary errors."""
    common = {"queryId": query_id, "logLines": outcome.log_lines, "journal": outcome.journal}
    if outcome.failure is None:
        return {"type": "QueryUpdated", "value": outcome.value, **common}
    failed = {"type": "QueryFailed", "errorMessage": outcome.error_text, **common}
    if outcome.failure.has_data:
        failed["errorData"] = outcome.failure.data
    return failed


def query_removed(query_id: int) -> dict[str, Any]:
    """Acknowledges a Remove."""
    return {"type": "QueryRemoved", "queryId": query_id}


def response(kind: str, request_id: int, outcome: Outcome) -> dict[str, Any]:
    """`kind` is "MutationResponse" or "ActionResponse"; only a successful mutation has a timestamp."""
    frame = {"type": kind, "requestId": request_id, "success": outcome.failure is None, "logLines": outcome.log_lines}
    if outcome.failure is None:
        frame["result"] = outcome.value
        if kind == "MutationResponse":
            frame["ts"] = encode_ts(outcome.ts_ns)
        return frame
    frame["result"] = outcome.error_text
    if outcome.failure.has_data:
        frame["errorData"] = outcome.failure.data
    return frame


def auth_error(text: str, base_version: int) -> dict[str, Any]:
    """An Authenticate was refused; the identity version stays."""
    return {"type": "AuthError", "error": text, "baseVersion": base_version, "authUpdateAttempted": True}
