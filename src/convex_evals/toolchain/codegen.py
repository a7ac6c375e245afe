"""Makes a submission's folder ready for the tools: generated files, our compiler settings, its packages.

Whatever a submission brought of these is replaced, since it could change verdicts. Writes only inside the project.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from convex_evals.toolchain import templates
from convex_evals.toolchain.entries import definition_file, functions_folder, module_paths
from convex_evals.toolchain.syntax import component_name, component_uses

_APP_ENVIRONMENT = "app-environment.d.ts"
_PRUNED = frozenset({"node_modules", "_generated"})


def prepare(project: Path, node_modules: Path) -> None:
    """Write generated files and settings, and link the packages. Raises DeployFailed for a bad module path."""
    root = project.resolve()
    functions = functions_folder(root)
    _link(root / "node_modules", node_modules)
    for stale in [file for file in _files(root) if file.name.startswith("tsconfig") and file.suffix == ".json"]:
        stale.unlink()
    _write(root / "tsconfig.json", templates.app_tsconfig(functions.relative_to(root).as_posix()))
    if not (node_modules / "vite").exists():
        _write(root / _APP_ENVIRONMENT, templates.APP_ENVIRONMENT)
    if not functions.is_dir():
        return
    _write(functions / "tsconfig.json", templates.functions_tsconfig())
    _generate(functions, component=False)
    for config in sorted(functions.rglob("convex.config.ts")):
        if config.parent != functions and not _PRUNED & set(config.relative_to(functions).parts):
            _generate(config.parent, component=True)


def _generate(folder: Path, *, component: bool) -> None:
    config = definition_file(folder)
    has_schema = (folder / "schema.ts").is_file() or (folder / "schema.js").is_file()
    files = {
        "dataModel.d.ts": templates.data_model(has_schema=has_schema),
        "server.js": templates.server_js(),
        "server.d.ts": templates.server_types(has_definition=config is not None),
        "api.js": templates.api_js(),
        "api.d.ts": templates.api_types(module_paths(folder), _children(folder, config)),
    }
    if component:
        files["component.d.ts"] = templates.component_types()
    generated = folder / "_generated"
    _remove(generated)
    generated.mkdir()
    for name, text in files.items():
        _write(generated / name, text)


def _children(folder: Path, config: Path | None) -> Mapping[str, str]:
    """Name of each component in use → the type of its interface, as text for api.d.ts."""
    if config is None:
        return {}
    children = {}
    for specifier, given in component_uses(_read(config), config.name):
        place = specifier.rpartition("/convex.config")[0]
        if specifier.startswith("."):
            child = (folder / place).resolve()
            typed = f"../{place}/_generated/component.js"
        else:
            child = _package_folder(folder, place)
            typed = f"{place}/_generated/component.js"
        definition = definition_file(child) if child.is_dir() else None
        name = given or (component_name(_read(definition), definition.name) if definition else None)
        if name is None:
            continue
        has_types = specifier.startswith(".") or any((child / "_generated").glob("component.*"))
        children[name] = f"import({json.dumps(typed)}).ComponentApi<{json.dumps(name)}>" if has_types else "any"
    return children


def _package_folder(folder: Path, place: str) -> Path:
    """Where a packaged component keeps its definition: the shallowest folder of the package that holds one."""
    parts = place.split("/")
    name = "/".join(parts[: 2 if place.startswith("@") else 1])
    for parent in folder.parents:
        package = parent / "node_modules" / name
        if package.is_dir():
            places = sorted(package.glob("dist/**/convex.config.js"), key=lambda file: len(file.parts))
            return places[0].parent if places else package
    return folder / "node_modules" / name


def _read(file: Path) -> str:
    return file.read_text("utf-8", "replace")


def _link(link: Path, node_modules: Path) -> None:
    target = node_modules.resolve()
    if link.is_symlink() and link.resolve() == target:
        return
    _remove(link)
    link.symlink_to(target, target_is_directory=True)


def _write(file: Path, text: str) -> None:
    _remove(file)  # a folder of that name may be in the way
    file.write_text(text, "utf-8")


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def _files(folder: Path) -> Iterator[Path]:
    for child in sorted(folder.iterdir()):
        if child.is_symlink() or child.name in _PRUNED:
            continue
        if child.is_dir():
            yield from _files(child)
        else:
            yield child
