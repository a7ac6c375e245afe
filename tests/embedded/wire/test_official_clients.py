"""The clients that Convex publishes, unchanged, against the real server."""

from __future__ import annotations

from samples import CHAT


async def test_javascript_client_over_websocket(deploy, run_script):
    dep = await deploy(CHAT)
    seen = await run_script("sync_client.mjs", dep)
    assert (seen["before"], seen["after"]) == ([], ["ann: one"])
    assert seen["action"] == "internal"
    assert seen["afterAction"] == ["ann: one", "bob: two", "bob: two"]
    assert seen["encoded"] == str(12345678901234567890 // 100)
    assert (seen["first"], seen["last"], seen["rising"]) == (0, 3, True)
    assert seen["parallel"] == list(range(1, 21))
    assert "[CONVEX M(messages:fail)] [Request ID: " in seen["plain"]["message"]
    thrown = "Server Error\nUncaught Error: plain plain\n    at handler (../convex/messages.ts:"
    assert thrown in seen["plain"]["message"]
    assert seen["convex"]["data"] == {"code": 7, "big": "2"}
    assert "\nArgumentValidationError: " in seen["badArgs"]["message"]
    assert "Could not find public function for 'messages:nothing'." in seen["unknown"]["message"]
    assert "Could not find public function for 'messages:secret'." in seen["internal"]["message"]
    assert (seen["nobody"], seen["admin"]) == (None, None)
    assert seen["somebody"] == {
        "subject": "u1",
        "issuer": "https://issuer",
        "name": "Uma",
        "tokenIdentifier": "https://issuer|u1",
    }
    assert (seen["secret"], seen["spec"]) == ("internal", True)


async def test_javascript_client_over_http(deploy, run_script):
    dep = await deploy(CHAT)
    seen = await run_script("http_client.mjs", dep)
    assert seen["list"] == ["ann: one"]
    assert seen["consistent"] == [["ann: one"], ["ann: one"]]
    assert seen["echo"] == {"bytes": [1, 2, 3], "big": "5", "inf": True, "nothing": None}
    assert seen["convex"]["code"] == 7
    assert "ArgumentValidationError" in seen["badArgs"]["message"]
    assert "Trying to execute messages.js:send as Query, but it is defined as Mutation" in seen["kind"]["message"]
    assert seen["who"]["email"] == "ü@example.com"
    assert seen["secret"] == "internal"
    assert "NoAuthProvider" in seen["jwt"]["message"]
    assert "BadAdminKey" in seen["wrong"]["message"]


async def test_paginated_live_query_and_a_cut_connection(deploy, run_script):
    dep = await deploy(CHAT)
    seen = await run_script("paginated_client.mjs", dep)
    assert (seen["first"], seen["second"]) == (["m0", "m1"], ["m0", "m1", "m2", "m3"])
    assert seen["live"] == [f"m{i}" for i in range(6)]
    assert (sorted(seen["added"]), seen["count"]) == ([1, 2, 3, 4, 5], 5)
    assert seen["afterCut"] == [f"m{i}" for i in range(7)]
    assert seen["connections"] >= 2


async def test_python_client(deploy, run_script):
    dep = await deploy(CHAT)
    seen = await run_script("python_client.py", dep)
    assert (seen["before"], seen["after"], seen["action"]) == ([], ["ann: one"], "internal")
    assert (seen["echo"], seen["data"]) == (True, True)
    assert "ArgumentValidationError" in seen["badArgs"]
    assert seen["live"] == [0.0, 1.0, 2.0, 3.0]
    assert seen["secret"] == "internal"
