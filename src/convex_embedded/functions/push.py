"""From analysis to what is deployed: the checks that need several modules at once, and the tree of component instances.

Every complaint is a DeployError in words that a Convex developer would recognise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from convex_embedded.functions.crons import parse_schedule
from convex_embedded.functions.nouns import CallRefused
from convex_embedded.functions.paths import Address, child_path, parse_address, parse_path
from convex_embedded.functions.registry import Instance, Registry
from convex_embedded.sandbox import Analysis, ChildComponent, CronSpec, DefinitionAnalysis
from convex_embedded.store import StoreError
from convex_embedded.store.validators import parse
from convex_embedded.types import DeployError, Push

MAX_INSTANCES = 256
MAX_CRONS = 1000
"""Of all instances together. Each is a timer of ours."""
_INSTANCE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}\Z")
MAX_VARIABLE_BYTES = 8192


def build_registry(push: Push, analysis: Analysis, env: Mapping[str, str]) -> Registry:
    """What the deployment will be after this push. Raises DeployError."""
    registry = Registry(analysis)
    for instance in _instances(analysis):
        registry.instances[instance.path] = instance
        if len(registry.instances) > MAX_INSTANCES:
            raise DeployError(f"A deployment may have at most {MAX_INSTANCES} component instances.")
    _check_validators(analysis)
    _check_node_modules(push, analysis)
    _check_environment(analysis.app, env)
    crons = tuple(registry.crons)
    if len(crons) > MAX_CRONS:
        raise DeployError(f"A deployment may have at most {MAX_CRONS} cron jobs; this one declares {len(crons)}.")
    for component, cron in crons:
        _check_cron(registry, component, cron)
    return registry


def check_variable(name: str, value: str) -> None:
    """Raises ValueError for an environment variable that no deployment may have."""
    if not _VARIABLE.match(name):
        raise ValueError(
            f'The environment variable name "{name[:60]}" is invalid: it must start with a letter or underscore, '
            "hold only letters, digits and underscores and be at most 40 characters long."
        )
    if name in ("CONVEX_CLOUD_URL", "CONVEX_SITE_URL"):
        raise ValueError(f'The environment variable "{name}" is built in and cannot be set.')
    if len(value.encode(errors="replace")) > MAX_VARIABLE_BYTES:
        raise ValueError(f'The value of the environment variable "{name}" is over {MAX_VARIABLE_BYTES} bytes.')


def _instances(analysis: Analysis) -> Iterator[Instance]:
    app = Instance("", analysis.app, http_mount=analysis.app.definition.http_prefix or "/")
    pending: list[tuple[Instance, tuple[str, ...]]] = [(app, ("",))]
    while pending:
        instance, chain = pending.pop(0)
        yield instance
        names: set[str] = set()
        for child in instance.definition.definition.children:
            if child.name in names:
                raise DeployError(f'Duplicate component name "{child.name}" in {_place(instance)}.')
            if child.definition_path in chain:
                raise DeployError(f"Component {child.definition_path} installs itself, directly or through another.")
            names.add(child.name)
            pending.append((_install(analysis, instance, child), (*chain, child.definition_path)))


def _install(analysis: Analysis, parent: Instance, child: ChildComponent) -> Instance:
    if not _INSTANCE_NAME.match(child.name):
        raise DeployError(
            f'Invalid component name "{child.name[:80]}": use letters, digits and underscores, not a digit first.'
        )
    definition = analysis.definitions.get(child.definition_path)
    if definition is None:
        raise DeployError(f'Component "{child.name}": there is no component definition at {child.definition_path!r}.')
    declared = definition.definition.env
    for name in child.env:
        if name not in declared:
            raise DeployError(f'Component "{child.name}" does not declare the environment variable "{name}".')
    for name, declaration in declared.items():
        if name not in child.env and not declaration.optional:
            raise DeployError(f'Component "{child.name}" needs the environment variable "{name}".')
    mount = None
    if child.http_prefix is not None and parent.http_mount is not None:
        mount = parent.http_mount.rstrip("/") + child.http_prefix
    return Instance(child_path(parent.path, child.name), definition, child.env, parent.path, mount)


def _place(instance: Instance) -> str:
    return f'component "{instance.path}"' if instance.path else "the app"


def _check_validators(analysis: Analysis) -> None:
    """They were written by generated code, which need not use `v`."""
    for definition in analysis.definitions.values():
        for spec in definition.functions:
            for what, validator in (("args", spec.args), ("returns", spec.returns)):
                try:
                    parse(validator)
                except StoreError as error:
                    raise DeployError(
                        f"{spec.module}:{spec.name} has an invalid `{what}` validator: {error}"
                    ) from error


def _check_node_modules(push: Push, analysis: Analysis) -> None:
    """A "use node" file may hold actions only."""
    sources = {source.definition_path: source for source in (push.app, *push.components)}
    for path, definition in analysis.definitions.items():
        modules = {module.path: module for module in sources[path].modules} if path in sources else {}
        for spec in definition.functions:
            module = modules.get(spec.module)
            if module is not None and module.environment == "node" and spec.kind in ("query", "mutation"):
                shown = module.original or spec.module
                raise DeployError(
                    f"`{spec.name}` defined in `{spec.module}` is a {spec.kind.capitalize()} function. "
                    f'Only actions can be defined in Node.js: {shown} starts with "use node".'
                )


def _check_environment(app: DefinitionAnalysis, env: Mapping[str, str]) -> None:
    for name, declaration in app.definition.env.items():
        if name not in env and not declaration.optional:
            raise DeployError(f'The app declares the environment variable "{name}", but it is not set.')


def _check_cron(registry: Registry, component: str, cron: CronSpec) -> None:
    try:
        parse_schedule(cron.schedule, cron.name)
    except ValueError as error:
        raise DeployError(f'The cron job "{cron.name}" has an invalid schedule: {error}') from error
    try:
        target = registry.resolve(component, cron_address(cron))
    except CallRefused:
        raise DeployError(
            f'The cron job "{cron.name}" schedules a function that does not exist: {cron.function}'
        ) from None
    if target.spec.kind not in ("mutation", "action"):
        raise DeployError(
            f'The cron job "{cron.name}" schedules {target.path.shown}, which is a {target.spec.kind}: '
            "only mutations and actions can be run by a cron job."
        )


def cron_address(cron: CronSpec) -> Address:
    """The function that a cron names. Raises CallRefused."""
    if cron.function.startswith("_reference/"):
        return parse_address({"reference": cron.function})
    address = parse_address({"name": cron.function})
    return address if address.component is not None else replace(address, path=parse_path(cron.function))
