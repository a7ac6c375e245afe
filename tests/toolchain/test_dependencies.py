"""Dependency sets, with real npm against a registry of our own."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import pytest

from convex_evals.errors import DeployFailed, InstallFailed, RegistryUnavailable
from convex_evals.toolchain import Toolchain
from tests.toolchain.conftest import Prepared
from tests.toolchain.registry import Registry


def manifest(**fields: object) -> dict[str, str]:
    return {"package.json": json.dumps(fields)}


@pytest.fixture
async def fresh(cache: Path, tmp_path: Path) -> Toolchain:
    """Tools with a set cache of their own."""
    tools = await Toolchain.start(cache)
    tools._dependencies.cache = tmp_path / "cache"
    yield tools
    await tools.close()


@pytest.mark.parametrize("wanted", ["^1.0.0", "1.48.0", "latest", "*", ">=1.10 <2", "~1.48"])
async def test_convex_alone_needs_no_registry(tools: Toolchain, packages: Registry, wanted: str) -> None:
    folder = await tools.install(manifest(name="x", scripts={"a": "b"}, dependencies={"convex": wanted}))
    assert folder is not None
    assert [child.name for child in folder.iterdir()] == ["convex"]
    assert packages.requests == []


async def test_a_project_without_package_json_sees_convex_only(tools: Toolchain, prepared: Prepared) -> None:
    assert await tools.install({}) is None
    project = await prepared({"convex/a.ts": 'import React from "react";\nexport const x = React;\n'})
    with pytest.raises(DeployFailed, match='Could not resolve "react"'):
        await tools.bundle(project)


async def test_a_project_that_does_not_declare_convex_is_refused(tools: Toolchain, prepared: Prepared) -> None:
    project = await prepared({**manifest(name="x"), "convex/a.ts": "export const x = 1;\n"})
    with pytest.raises(DeployFailed, match='the dependency "convex" is missing'):
        await tools.bundle(project)


async def test_a_set_is_installed_once_and_shared(fresh: Toolchain, packages: Registry) -> None:
    packages.add("left", "1.0.0", {"index.js": "module.exports = 1"})
    packages.add("left", "1.5.0", {"index.js": "module.exports = 2"})
    wish = manifest(dependencies={"left": "^1.0.0"}, name="one")
    first, second = await asyncio.gather(
        fresh.install(wish), fresh.install(manifest(version="9", dependencies={"left": "^1.0.0"}))
    )
    assert first == second
    assert first is not None
    assert json.loads((first / "left/package.json").read_text())["version"] == "1.5.0"
    assert packages.requests.count("left/-/1.5.0.tgz") == 1


async def test_two_processes_install_one_set(fresh: Toolchain, cache: Path, packages: Registry) -> None:
    packages.add("left", "1.0.0")
    other = await Toolchain.start(cache)
    other._dependencies.cache = fresh._dependencies.cache
    wish = manifest(dependencies={"left": "1"})
    first, second = await asyncio.gather(fresh.install(wish), other.install(wish))
    await other.close()
    assert first == second
    assert packages.requests.count("left") == 1, "the second one waited and found the set"


async def test_scripts_of_packages_never_run(fresh: Toolchain, packages: Registry, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    packages.add("eager", "1.0.0", scripts={"postinstall": f"touch {proof}", "preinstall": f"touch {proof}"})
    wish = manifest(dependencies={"eager": "1"}, scripts={"postinstall": f"touch {proof}", "prepare": f"touch {proof}"})
    assert await fresh.install(wish) is not None
    assert not proof.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dependencies": {"x": "file:../secret"}}, "is a path"),
        ({"dependencies": {"x": "link:../secret"}}, "x@link:../secret"),
        ({"dependencies": {"x": "./secret"}}, "is a path"),
        ({"dependencies": {"x": "git+https://example.com/x.git"}}, "is a git repository"),
        ({"dependencies": {"x": "someone/something"}}, "is a git repository"),
        ({"devDependencies": {"x": "https://example.com/x.tgz"}}, "is a URL"),
        ({"dependencies": {"x": "workspace:*"}}, "x@workspace:*"),
        ({"dependencies": {"x": "npm:y@file:../z"}}, "x@npm:y@file:../z"),
        ({"dependencies": {"../../x": "1.0.0"}}, "../../x"),
        ({"dependencies": {"x": 1}}, "has to map package names to versions"),
        ({"dependencies": ["x"]}, "has to map package names to versions"),
        ({"workspaces": ["packages/*"]}, "`workspaces` is not allowed"),
        ({"overrides": {"convex": "1.0.0"}}, "`overrides` is not allowed"),
    ],
)
async def test_only_versions_of_registry_packages(
    fresh: Toolchain, packages: Registry, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(InstallFailed) as raised:
        await fresh.install(manifest(**fields))
    assert said in str(raised.value)
    assert packages.requests == []


async def test_package_json_that_is_no_json(fresh: Toolchain) -> None:
    with pytest.raises(InstallFailed, match="not valid JSON"):
        await fresh.install({"package.json": "{ // comment\n}"})
    with pytest.raises(InstallFailed, match="not a JSON object"):
        await fresh.install({"package.json": "[]"})


async def test_what_does_not_exist_is_the_models_doing(fresh: Toolchain, packages: Registry) -> None:
    packages.add("convex", fresh.versions["convex"])
    packages.add("left", "1.0.0")
    with pytest.raises(InstallFailed, match="E404"):
        await fresh.install(manifest(dependencies={"convex-imaginary": "^1.0.0"}))
    with pytest.raises(InstallFailed, match="ETARGET"):
        await fresh.install(manifest(dependencies={"left": "^7.0.0"}))


async def test_a_dependency_of_a_dependency_may_not_come_from_elsewhere(fresh: Toolchain, packages: Registry) -> None:
    packages.add("convex", fresh.versions["convex"])
    packages.add("sly", "1.0.0", dependencies={"x": "git+https://example.invalid/x.git"})
    packages.add("slier", "1.0.0", dependencies={"x": "https://example.invalid/x.tgz"})
    for name in ("sly", "slier"):
        with pytest.raises(InstallFailed):
            await fresh.install(manifest(dependencies={name: "1"}))


async def test_packages_that_cannot_be_together_are_the_models_doing(fresh: Toolchain, packages: Registry) -> None:
    packages.add("convex", fresh.versions["convex"])
    packages.add("plug", "1.0.0", peerDependencies={"left": "^2.0.0"})
    packages.add("left", "1.0.0")
    packages.add("left", "2.0.0")
    with pytest.raises(InstallFailed, match="ERESOLVE"):
        await fresh.install(manifest(dependencies={"plug": "1", "left": "1"}))


async def test_a_registry_that_knows_nothing_is_not_the_models_doing(fresh: Toolchain, packages: Registry) -> None:
    with pytest.raises(RegistryUnavailable, match="for convex itself"):
        await fresh.install(manifest(dependencies={"left": "1"}))


@pytest.mark.parametrize("status", [500, 503, 401, 403, 429])
async def test_a_registry_that_answers_wrongly_is_not_the_models_doing(
    fresh: Toolchain, packages: Registry, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    packages.status = status
    monkeypatch.setenv("npm_config_fetch_retry_mintimeout", "1")
    monkeypatch.setenv("npm_config_fetch_retry_maxtimeout", "1")
    with pytest.raises(RegistryUnavailable, match=f"E{status}"):
        await fresh.install(manifest(dependencies={"left": "1"}))


async def test_a_registry_that_is_not_there_is_not_the_models_doing(
    fresh: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.setenv("npm_config_fetch_retry_mintimeout", "1")
        monkeypatch.setenv("npm_config_fetch_retry_maxtimeout", "1")
        with pytest.raises(RegistryUnavailable, match="ECONNREFUSED"):
            await fresh.install(manifest(dependencies={"left": "1"}))
    assert not list((fresh._dependencies.cache / "unfinished").iterdir()), "nothing half-done stays behind"


async def test_another_version_of_convex_is_bundled_in(fresh: Toolchain, packages: Registry, tmp_path: Path) -> None:
    packages.add(
        "convex",
        "0.9.0",
        {"server.js": "export const queryGeneric = 'old'; export const v = 1;\n"},
        type="module",
        exports={"./server": "./server.js"},
    )
    files = {
        **manifest(dependencies={"convex": "^0.9.0"}),
        "convex/a.ts": 'import { queryGeneric } from "convex/server";\nexport const x = queryGeneric;\n',
    }
    from convex_evals.types import Project

    (tmp_path / "p/convex").mkdir(parents=True)
    (tmp_path / "p/convex/a.ts").write_text(files["convex/a.ts"])
    project = Project(tmp_path / "p", node_modules=await fresh.install(files))
    await fresh.prepare(project)
    bundle = await fresh.bundle(project)
    assert not bundle.provided
    assert "old" in bundle.app.modules[0].source
    assert "require(" not in bundle.app.modules[0].source
