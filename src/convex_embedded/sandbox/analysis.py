"""From what the runtime found in pushed code to `Analysis`: shapes are checked, since generated code computed them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from convex_embedded.sandbox.nouns import (
    Analysis,
    ChildComponent,
    ComponentDefinition,
    CronSpec,
    DefinitionAnalysis,
    EnvBinding,
    EnvDeclaration,
    HttpRoute,
)
from convex_embedded.types import ComponentSource, DeployError, FunctionKind, FunctionSpec, Push

LARGEST_ANALYSIS_BYTES = 8 * 2**20
"""Of everything that one push declares; a large application has a tenth."""


class _Function(msgspec.Struct):
    name: str
    kind: FunctionKind
    internal: bool
    args: Any
    returns: Any


class _Cron(msgspec.Struct):
    name: str
    args: list[Any]
    schedule: dict[str, Any]


class _Serialized(msgspec.Struct):
    type: str
    value: str | None = None
    name: str | None = None
    optional: bool = False


class _Child(msgspec.Struct):
    name: str
    path: str
    env: list[tuple[str, _Serialized]] | None = None


class _Config(msgspec.Struct):
    childComponents: list[_Child]
    httpMounts: dict[str, str]
    name: str | None = None
    httpPrefix: str | None = None
    envVars: list[tuple[str, _Serialized]] | None = None


class _Found(msgspec.Struct):
    path: str
    schema: dict[str, Any] | None
    functions: dict[str, list[_Function]]
    routes: list[tuple[str, str]] | None
    crons: dict[str, _Cron] | None
    definition: _Config | None


def read_analysis(payload: bytes, push: Push) -> Analysis:
    """Raises DeployError when the shapes are not those of a Convex project."""
    if len(payload) > LARGEST_ANALYSIS_BYTES:
        raise DeployError(
            f"Schema, functions and crons declare {len(payload) / 2**20:.0f} MiB of validators, more than the "
            f"{LARGEST_ANALYSIS_BYTES // 2**20} MiB that a deployment may have"
        )
    try:
        found = msgspec.json.decode(payload, type=list[_Found])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DeployError(f"Failed to analyze the pushed modules: {error}") from error
    sources = {source.definition_path: source for source in (push.app, *push.components)}
    if {one.path for one in found} != set(sources):
        raise DeployError("Failed to analyze the pushed modules: the answer is not about what was pushed")
    return Analysis({one.path: _definition(one, sources[one.path]) for one in found})


def _definition(found: _Found, source: ComponentSource) -> DefinitionAnalysis:
    return DefinitionAnalysis(
        definition_path=found.path,
        schema=found.schema,
        functions=tuple(spec for path in sorted(found.functions) for spec in _functions(path, found, source)),
        has_http=found.routes is not None,
        http_routes=tuple(HttpRoute(path, method) for path, method in found.routes or ()),
        crons=tuple(CronSpec(name, cron.name, cron.args, cron.schedule) for name, cron in (found.crons or {}).items()),
        definition=_config(found.definition),
    )


def _functions(path: str, found: _Found, source: ComponentSource) -> list[FunctionSpec]:
    positions: Mapping[str, int] = next((m.positions for m in source.modules if m.path == path), {})
    specs = [
        FunctionSpec(
            module=path,
            name=one.name,
            kind=one.kind,
            visibility="internal" if one.internal else "public",
            args=one.args,
            returns=one.returns,
            line=positions.get(one.name, 0),
        )
        for one in found.functions[path]
        if one.kind != "httpAction"
    ]
    # Stable: without positions the order of the module's exports stays.
    return sorted(specs, key=lambda spec: spec.line)


def _config(config: _Config | None) -> ComponentDefinition:
    if config is None:
        return ComponentDefinition()
    prefixes = {reference.rpartition("/")[2]: prefix for prefix, reference in config.httpMounts.items()}
    children = tuple(
        ChildComponent(
            name=child.name,
            definition_path=child.path,
            env={name: _binding(one) for name, one in child.env or ()},
            http_prefix=prefixes.get(child.name),
        )
        for child in config.childComponents
    )
    declared = {name: _declaration(name, one) for name, one in config.envVars or ()}
    return ComponentDefinition(config.name, children, declared, config.envVars is not None, config.httpPrefix)


def _binding(one: _Serialized) -> EnvBinding:
    return EnvBinding(variable=one.name) if one.type == "envVar" else EnvBinding(value=one.value)


def _declaration(name: str, one: _Serialized) -> EnvDeclaration:
    try:
        return EnvDeclaration(json.loads(one.value or ""), one.optional)
    except (ValueError, RecursionError) as error:
        raise DeployError(f"Environment variable {name!r} has a validator that can not be read") from error
