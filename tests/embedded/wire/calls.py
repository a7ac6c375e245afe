"""Calls over HTTP in one line each."""

from __future__ import annotations

import base64
import json
from typing import Any

import aiohttp


async def request(method: str, url: str, **more: Any) -> tuple[int, Any, Any]:
    """Status, headers, body (parsed when it is JSON)."""
    async with aiohttp.ClientSession() as http, http.request(method, url, **more) as response:
        raw = await response.read()
        is_json = response.content_type == "application/json"
        return response.status, response.headers, json.loads(raw) if is_json else raw


def admin(deployment: Any, user: dict[str, Any] | None = None) -> dict[str, str]:
    """The header of the admin, or of the admin who acts as a user."""
    suffix = "" if user is None else ":" + base64.b64encode(json.dumps(user).encode()).decode()
    return {"Authorization": f"Convex {deployment.admin_key}{suffix}"}


async def call(deployment: Any, kind: str, path: str, args: Any = None, **more: Any) -> Any:
    """The answer to a call by the admin: {"status", "value" | "errorMessage", …}."""
    body = {"path": path, "args": args or {}, "format": "convex_encoded_json", **more}
    status, _, answer = await request("POST", f"{deployment.url}/api/{kind}", json=body, headers=admin(deployment))
    assert status == 200, answer
    return answer


async def value(deployment: Any, kind: str, path: str, args: Any = None, **more: Any) -> Any:
    """The value of a call that must succeed."""
    answer = await call(deployment, kind, path, args, **more)
    assert answer["status"] == "success", answer["errorMessage"]
    return answer["value"]


async def error(deployment: Any, kind: str, path: str, args: Any = None, **more: Any) -> str:
    """The message of a call that must fail."""
    answer = await call(deployment, kind, path, args, **more)
    assert answer["status"] == "error", answer
    text: str = answer["errorMessage"]
    return text
