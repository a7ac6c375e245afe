"""What is deployed: component instances, their functions and routes, and look-ups. Frozen after a push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from convex_embedded.functions.nouns import UDF_TYPES, CallRefused, FunctionPath
from convex_embedded.functions.paths import Address, child_path
from convex_embedded.sandbox import Analysis, CronSpec, DefinitionAnalysis, EnvBinding
from convex_embedded.types import FunctionKind, FunctionSpec


@dataclass(frozen=True)
class Instance:
    """One installed component, or the app (path "")."""

    path: str
    definition: DefinitionAnalysis
    env: Mapping[str, EnvBinding] = field(default_factory=dict)
    """Bindings given where it is installed."""
    parent: str | None = None
    http_mount: str | None = None
    """Path prefix of its routes with slashes at both ends, relative to the site; None = not reachable."""


@dataclass(frozen=True)
class Target:
    """A function that exists, in its instance."""

    instance: Instance
    path: FunctionPath
    spec: FunctionSpec

    @property
    def component(self) -> str:
        return self.instance.path


class Registry:
    """Look-ups in what one push declared."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.instances: dict[str, Instance] = {}
        self._functions: dict[tuple[str, str, str], FunctionSpec] = {
            (path, spec.module, spec.name): spec
            for path, definition in analysis.definitions.items()
            for spec in definition.functions
        }

    @classmethod
    def empty(cls) -> Registry:
        """Of a deployment before its first push."""
        registry = cls(Analysis({"": DefinitionAnalysis("")}))
        registry.instances[""] = Instance("", registry.analysis.app)
        return registry

    @property
    def crons(self) -> Iterator[tuple[str, CronSpec]]:
        """(component, cron) of all instances."""
        return ((i.path, cron) for i in self.instances.values() for cron in i.definition.crons)

    def find(self, component: str, path: FunctionPath) -> Target | None:
        """The function of an instance, whatever its visibility."""
        instance = self.instances.get(component)
        if instance is None:
            return None
        spec = self._functions.get((instance.definition.definition_path, path.module, path.name))
        return None if spec is None else Target(instance, path, spec)

    def get_public(self, component: str, path: FunctionPath, *, internal: bool) -> Target:
        """As a client may call it; `internal` admits internal functions too. Raises CallRefused."""
        target = self.find(component, path)
        if target is None or (target.spec.visibility == "internal" and not internal):
            raise CallRefused(
                f"Could not find public function for '{path.shown}'. "
                "Did you forget to run `npx convex dev` or `npx convex deploy`?"
            )
        return target

    def resolve(self, component: str, address: Address) -> Target:
        """What code in `component` named. Raises CallRefused."""
        if address.component is not None:
            place = address.component
        elif address.child is not None:
            place = child_path(component, address.child)
            if place not in self.instances:
                raise CallRefused(f'Child component "{address.child}" is not installed.')
        else:
            place = component
        target = self.find(place, address.path)
        # Across the boundary of a component only its public functions exist; a handle was made on the inside.
        if target is None or (address.child is not None and target.spec.visibility == "internal"):
            where = f" in component '{place}'" if place else ""
            raise CallRefused(
                f"Could not find function for '{address.path.shown}'{where}. "
                "Did you forget to run `npx convex dev` or `npx convex deploy`?"
            )
        return target


def check_kind(target: Target, kind: FunctionKind) -> None:
    """Raises CallRefused when the function is of another kind."""
    if target.spec.kind != kind:
        raise CallRefused(
            f"Trying to execute {target.path.identifier} as {UDF_TYPES[kind]}, "
            f"but it is defined as {UDF_TYPES[target.spec.kind]}."
        )
