"""Setting up from nothing, as a newcomer's machine would: no home, almost no environment, perhaps no network."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from convex_evals.errors import RegistryUnavailable, SetupError
from convex_evals.toolchain import Toolchain
from convex_evals.toolchain.node import NpmFailed, fault_of, find_node, run_npm
from convex_evals.toolchain.toolset import fresh_folder, pinned_versions, publish, toolset_at

SETUP = (
    "import pathlib, sys; from convex_evals.toolchain import Toolchain; "
    "Toolchain.setup(pathlib.Path(sys.argv[1]), lambda line: print(line, flush=True))"
)
KEPT = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "https_proxy",
    "http_proxy",
)


def start_setup(cache: Path, home: Path) -> subprocess.Popen[str]:
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-c", SETUP, str(cache)],
        env={**environment, "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_two_processes_set_up_one_cache_with_an_empty_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    cache = tmp_path / "cache"
    processes = [start_setup(cache, home) for _ in range(2)]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert "tools: ready in" in outputs[0][0]
    assert list((cache / "unfinished").iterdir()) == []
    assert list(home.iterdir()) == [], "nothing is written outside of the cache"
    tools = await Toolchain.start(cache)
    assert os.access(tools.esbuild, os.X_OK)
    for name, version in pinned_versions().items():
        assert tools.versions[name] == version
        assert json.loads((tools.node_modules / name / "package.json").read_text())["version"] == version
    await tools.close()
    lines: list[str] = []
    Toolchain.setup(cache, lines.append)
    assert len(lines) == 1
    assert "already in" in lines[0]


def test_the_version_of_node_is_what_it_says_itself() -> None:
    node = find_node()
    assert subprocess.check_output([node.binary, "--version"], text=True).strip() == f"v{node.version}"


async def test_starting_without_setup_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="run `convex-evals setup`"):
        await Toolchain.start(tmp_path)


def test_the_slower_of_two_keeps_what_the_faster_one_published(tmp_path: Path) -> None:
    final = tmp_path / "final"
    for text in ("first", "second"):
        with fresh_folder(tmp_path) as folder:
            (folder / "it").write_text(text)
            publish(folder, final)
    assert (final / "it").read_text() == "first"
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_a_registry_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.setenv("npm_config_fetch_retry_mintimeout", "1")
        monkeypatch.setenv("npm_config_fetch_retry_maxtimeout", "1")
        with pytest.raises(RegistryUnavailable, match=r"ECONNREFUSED.*NODE_EXTRA_CA_CERTS"):
            Toolchain.setup(tmp_path, lambda line: None)
    assert not toolset_at(tmp_path).folder.exists()
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match="cannot write to the cache folder"):
        Toolchain.setup(tmp_path / "file", lambda line: None)


def test_a_registry_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(NpmFailed) as raised:
            run_npm(find_node(), ["view", "left"], folder=tmp_path, npm_cache=tmp_path / "npm", seconds=2)
    assert raised.value.code == "ETIMEDOUT"
    assert raised.value.fault == "registry"


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("E404", "wanted"),
        ("ETARGET", "wanted"),
        ("EBADENGINE", "wanted"),
        ("E500", "registry"),
        ("E503", "registry"),
        ("ENOTFOUND", "registry"),
        ("EAI_AGAIN", "registry"),
        ("SELF_SIGNED_CERT_IN_CHAIN", "registry"),
        ("EUSAGE", "tool"),
        ("E5", "tool"),
        ("EUNKNOWN", "tool"),
    ],
)
def test_whose_fault_a_code_is(code: str, fault: str) -> None:
    assert fault_of(code) == fault


def test_the_lock_pins_every_package_by_content_and_names_no_registry() -> None:
    folder = resources.files("convex_evals.toolchain") / "npm"
    lock = json.loads((folder / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
    optional = [name for entry in packages.values() for name in entry.get("optionalDependencies", {})]
    missing = [name for name in optional if not any(at.endswith(f"node_modules/{name}") for at in packages)]
    assert missing == [], "a platform is missing: npm ci refuses the lock file everywhere"
    assert not re.search(r"https?://(?!github\.com|opencollective\.com|\S*sponsor)\S*registry", json.dumps(lock))
    for version in json.loads((folder / "package.json").read_text())["dependencies"].values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), "exact versions only"


def test_the_wheel_carries_what_setup_needs(tmp_path: Path) -> None:
    """The package as a wheel has it: nothing but the files of the package folder."""
    package = resources.files("convex_evals.toolchain")
    shutil.copytree(str(package), tmp_path / "toolchain", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("worker.mjs", "npm/package.json", "npm/package-lock.json"):
        assert (tmp_path / "toolchain" / name).is_file()
