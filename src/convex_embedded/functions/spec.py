"""The function spec of a deployment, as `_system/cli/modules:apiSpec` answers it. Pure."""

from __future__ import annotations

from typing import Any

from convex_embedded.functions.nouns import UDF_TYPES
from convex_embedded.sandbox import DefinitionAnalysis


def function_spec(app: DefinitionAnalysis) -> list[dict[str, Any]]:
    """Modules by path, functions of a module by source position; the routes stand where http.js does."""
    routes = [{"functionType": "HttpAction", "method": route.method, "path": route.path} for route in app.http_routes]
    entries: list[dict[str, Any]] = []
    for spec in app.functions:
        if spec.module > "http.js":
            entries += routes
            routes = []
        entries.append(
            {
                "identifier": f"{spec.module}:{spec.name}",
                "functionType": UDF_TYPES[spec.kind],
                "visibility": {"kind": spec.visibility},
                "args": spec.args,
                "returns": spec.returns,
            }
        )
    return entries + routes
