"""An action that needs Node's built-in modules: values, arguments, where the values come from."""

import hashlib

from convex_evals.graders.api import Grading, rejects

ACTION = "index:processWithNode"
PATHS = {
    "a//b/../c.txt": "/uploads/a/c.txt",
    "report.pdf": "/uploads/report.pdf",
    "./x/./y///z": "/uploads/x/y/z",
    "../../etc/passwd": "/etc/passwd",
    "größe/../naïve 🚀": "/uploads/naïve 🚀",
    "/etc/passwd": "/uploads/etc/passwd",
    "folder/": "/uploads/folder/",
}


async def test_hash_is_the_sha256_in_hexadecimal(g: Grading) -> None:
    """hash is the SHA-256 digest of the data in UTF-8, in lower-case hexadecimal digits."""
    for data in ("", "hello", "größe 🚀", "x" * 10_000):
        value = await g.response.public.action(ACTION, {"data": data})
        expected = hashlib.sha256(data.encode()).hexdigest()
        actual = value.get("hash") if isinstance(value, dict) else value
        assert actual == expected, f"hash of {data[:20]!r} is {actual!r}, expected {expected!r}"


async def test_path_is_normalized(g: Grading) -> None:
    """normalizedPath is /uploads/ and the data, with slashes, `.` and `..` resolved."""
    for data, expected in PATHS.items():
        value = await g.response.public.action(ACTION, {"data": data})
        actual = value.get("normalizedPath") if isinstance(value, dict) else value
        assert actual == expected, f"normalizedPath of {data!r} is {actual!r}, expected {expected!r}"


async def test_result_has_these_two_fields(g: Grading) -> None:
    """The result is { hash, normalizedPath } and nothing else."""
    value = await g.response.public.action(ACTION, {"data": "a"})
    fields = sorted(value) if isinstance(value, dict) else None
    assert fields == ["hash", "normalizedPath"], f"returned {value!r}"


async def test_data_is_a_string(g: Grading) -> None:
    """The action takes data, which is a string, and nothing else."""
    for args in ({}, {"data": 5}, {"data": "a", "encoding": "utf8"}):
        await rejects(g.response.public.action(ACTION, args), match="ArgumentValidationError")


async def test_it_uses_the_modules_of_node(g: Grading) -> None:
    """The two values are computed with Node's crypto and path modules."""
    await g.response.public.action(ACTION, {"data": "a"})
    imported = {entry.module for source in g.sources() for entry in source.imports()}
    imported |= {call.strings[0] or "" for source in g.sources() for call in source.calls("import") if call.strings}
    named = {module.removeprefix("node:").partition("/")[0] for module in imported}
    assert {"crypto", "path"} <= named, f"the submission imports {sorted(imported)}"


async def test_clients_can_call_this_function_only(g: Grading) -> None:
    """The action is the only function that clients can call."""
    public = sorted(
        entry.get("identifier", "an HTTP route")
        for entry in await g.response.function_spec()
        if entry["functionType"] == "HttpAction" or entry["visibility"]["kind"] == "public"
    )
    assert public == ["index.js:processWithNode"], f"public functions are {public}"
