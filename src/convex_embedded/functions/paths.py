"""Names of functions and components as they travel: paths, references, handles. Pure text; knows no deployment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convex_embedded.functions.nouns import CallRefused, FunctionPath

HANDLE_PREFIX = "function://"
_CHILD_PREFIX = "_reference/childComponent/"
_MAX_PATH = 1024


def parse_path(text: str) -> FunctionPath:
    """ "dir/mod:fn", "mod.js:fn", "mod" (default export) → canonical path. Raises CallRefused."""
    module, colon, name = text.rpartition(":")
    if not colon:
        module, name = text, "default"
    module = module.strip("/")
    if not module or not name or len(text) > _MAX_PATH:
        raise CallRefused(f"Invalid function path: {text[:100]!r} is not of the form 'module:function'.")
    return FunctionPath(module if module.endswith(".js") else f"{module}.js", name)


@dataclass(frozen=True)
class Address:
    """What generated code named in a run or schedule syscall, not yet looked up."""

    component: str | None
    """Instance path when the address fixes it (a handle), else None: the caller's own component."""
    child: str | None
    """Name of a child component, for references into it."""
    path: FunctionPath


def parse_address(args: Mapping[str, Any]) -> Address:
    """`{name}`, `{reference}` or `{functionHandle}` of a syscall. Raises CallRefused."""
    if isinstance(handle := args.get("functionHandle"), str):
        return _parse_handle(handle)
    if isinstance(reference := args.get("reference"), str):
        return _parse_reference(reference)
    if isinstance(name := args.get("name"), str):
        return _parse_handle(name) if name.startswith(HANDLE_PREFIX) else Address(None, None, parse_path(name))
    raise CallRefused("The function to call must be a function reference, a function path or a function handle.")


def make_handle(component: str, path: FunctionPath) -> str:
    """The string that stands for a function anywhere in the deployment."""
    return f"{HANDLE_PREFIX}{component};{path.identifier}"


def _parse_handle(text: str) -> Address:
    component, separator, path = text.removeprefix(HANDLE_PREFIX).partition(";")
    if not separator:
        raise CallRefused(f"Invalid function handle: {text[:200]!r}")
    return Address(component, None, parse_path(path))


def _parse_reference(text: str) -> Address:
    if not text.startswith(_CHILD_PREFIX):
        raise CallRefused(f"Unsupported reference: {text[:200]!r}")
    child, *rest = text.removeprefix(_CHILD_PREFIX).split("/")
    if not child or len(rest) < 2:
        raise CallRefused(f"The reference {text[:200]!r} does not name a function of a component.")
    return Address(None, child, FunctionPath(f"{'/'.join(rest[:-1])}.js", rest[-1]))


def child_path(parent: str, name: str) -> str:
    """Path of a child instance: "" + "counter" → "counter", "a" + "b" → "a/b"."""
    return f"{parent}/{name}" if parent else name
