"""How values and validators are printed in error texts: in the source form that developers write.

It knows nothing of checking; `validators.py` decides, this module shows.
"""

from __future__ import annotations

import base64
import json as jsonlib
import math
from typing import Any, Final

from convex_embedded.store.values import Value, decode

_MAX_SHOWN: Final = 10_000
_SIMPLE: Final = {
    "any": "v.any()",
    "bigint": "v.int64()",
    "boolean": "v.boolean()",
    "bytes": "v.bytes()",
    "commitTs": "v.commitTs()",
    "null": "v.null()",
    "number": "v.float64()",
    "string": "v.string()",
}


def show(value: Value) -> str:
    """A value on one line: `{a: 1.0, b: [2n, "x"]}`; cut when it is very long."""
    text = _show(value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "[...truncated]"


def _show(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}n"
    if isinstance(value, float):
        return _show_float(value)
    if isinstance(value, str):
        return jsonlib.dumps(value, ensure_ascii=False)
    if isinstance(value, bytes):
        return f'b"{base64.b64encode(value).decode()}"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_show(item)}" for name, item in sorted(value.items())) + "}"
    return repr(value)


def _show_float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return repr(value)


def show_validator(validator: Any) -> str:
    """Validator JSON as source: `v.object({name: v.string()})`; fields in the order of their names."""
    kind = validator["type"]
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind == "id":
        return f'v.id("{validator["tableName"]}")'
    if kind == "literal":
        return f"v.literal({_show(decode(validator['value']))})"
    if kind == "array":
        return f"v.array({show_validator(validator['value'])})"
    if kind == "union":
        return f"v.union({', '.join(map(show_validator, validator['value']))})"
    if kind == "record":
        return f"v.record({show_validator(validator['keys'])}, {show_validator(validator['values']['fieldType'])})"
    if kind == "object":
        fields = (f"{name}: {_show_field(field)}" for name, field in sorted(validator["value"].items()))
        return f"v.object({{{', '.join(fields)}}})"
    raise TypeError(f"unknown validator {kind!r}")


def _show_field(field: Any) -> str:
    text = show_validator(field["fieldType"])
    return f"v.optional({text})" if field["optional"] else text
