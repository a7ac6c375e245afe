"""The lines of the pipe, written and read. Nothing that is read here is believed further than its shape.

Head, tab, payload. To the runtime: m z i c a x k p; from it: A F N S L V H E T P (see runtime/ts/wire.ts).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from convex_embedded.sandbox.nouns import FetchRequest, FetchResponse, Invocation
from convex_embedded.types import CallError, ComponentSource, HttpResponse, Limits, Push, SyscallError

_LONE_HIGH = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")
_LONE_LOW = re.compile(rb"(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_REPLACEMENT = rb"\\ufffd"

_encoder = msgspec.json.Encoder()


class Garbled(Exception):
    """A line that the runtime, left alone, would never have written."""


def encode(value: Any) -> bytes:
    """JSON in one line. Floats that JSON lacks become null: the trusted side sends wire encoding, which has none."""
    return _encoder.encode(value)


def decode(payload: bytes) -> Any:
    """Parsed JSON. Raises Garbled. Lone surrogates, which no later encoding would take, become U+FFFD."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return msgspec.json.decode(_LONE_LOW.sub(_REPLACEMENT, _LONE_HIGH.sub(_REPLACEMENT, payload)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(str(error)) from error


def modules_line(push: Push, limits: Limits) -> bytes:
    definitions = [_definition(source) for source in (push.app, *push.components)]
    payload = {
        "definitions": definitions,
        "env": dict(push.env),
        "logLines": limits.log_lines,
        "logLineBytes": limits.log_line_bytes,
    }
    return b"m\t" + encode(payload) + b"\n"


def _definition(source: ComponentSource) -> dict[str, Any]:
    return {
        "path": source.definition_path,
        "children": dict(source.children),
        "modules": [
            {
                "path": module.path,
                "source": module.source,
                "environment": module.environment,
                "map": module.source_map,
                "original": module.original,
            }
            for module in source.modules
        ],
    }


def interned_line(key: int, value: Mapping[str, Any]) -> bytes:
    return b"i%d\t" % key + encode(dict(value)) + b"\n"


def call_line(number: int, call: Invocation, env: int, tables: int) -> bytes:
    request = call.request
    payload = {
        "definition": call.definition_path,
        "module": call.module,
        "export": call.export,
        "kind": call.kind,
        "args": call.args,
        "now": call.now_ms,
        "seed": call.seed,
        "env": env,
        "tables": tables,
        "request": request
        and {
            "method": request.method,
            "url": request.url,
            "headers": request.headers,
            "body": base64.b64encode(request.body).decode(),
        },
    }
    return b"c%d\t" % number + encode(payload) + b"\n"


def answer_line(number: int, syscall: int, answer: Any) -> bytes:
    return b"a%d %d\t" % (number, syscall) + encode(answer) + b"\n"


def refusal_line(number: int, syscall: int, refusal: SyscallError) -> bytes:
    payload = {"message": str(refusal), "hasData": refusal.has_data, "data": refusal.data}
    return b"x%d %d\t" % (number, syscall) + encode(payload) + b"\n"


def drop_line(number: int) -> bytes:
    return b"k%d\t\n" % number


def ping_line(number: int) -> bytes:
    return b"p%d\t\n" % number


def read_error(payload: bytes) -> CallError:
    match decode(payload):
        case {"message": str(message), "hasData": bool(has_data), "data": data}:
            return CallError(message, data=data if has_data else None, has_data=has_data)
    raise Garbled("an error without its parts")


def read_log_lines(payload: bytes, limits: Limits) -> tuple[str, ...]:
    lines = decode(payload)
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise Garbled("log lines that are no lines")
    return tuple(line[: limits.log_line_bytes] for line in lines[: limits.log_lines])


def read_http(payload: bytes) -> HttpResponse:
    match decode(payload):
        case {"status": int(status), "headers": list(headers), "body": str(body)}:
            return HttpResponse(status, _pairs(headers), _bytes(body))
    raise Garbled("a response without its parts")


def read_fetch(args: Any) -> FetchRequest:
    match args:
        case {
            "url": str(url),
            "method": str(method),
            "headers": list(headers),
            "body": body,
            "redirect": str(redirect),
        }:
            content = _bytes(body) if isinstance(body, str) else None
            return FetchRequest(url, method, _pairs(headers), content, redirect)
    raise Garbled("a request without its parts")


def fetch_answer(response: FetchResponse) -> dict[str, Any]:
    return {
        "url": response.url,
        "status": response.status,
        "statusText": response.status_text,
        "headers": response.headers,
        "body": base64.b64encode(response.body).decode(),
        "redirected": response.redirected,
    }


def _pairs(headers: list[Any]) -> tuple[tuple[str, str], ...]:
    for pair in headers:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
            raise Garbled("headers that are no pairs")
    return tuple((name, value) for name, value in headers)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Garbled("no base64") from error
