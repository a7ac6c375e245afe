"""Our own lint rule: what cannot be called inside a query or mutation. Syntax only; pure.

Only calls that stand literally inside the definition are seen, and a file that gives one of the names a meaning of
its own is left alone: better to miss a case than to fail a correct program.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from convex_evals.toolchain.syntax import of_type, parse, string_value, text_of

OUTSIDE_CALLS = ("fetch", "setTimeout", "setInterval")
_BUILDERS = frozenset({"query", "internalQuery", "mutation", "internalMutation"})
_BINDERS = frozenset(
    {
        "import_specifier",
        "import_clause",
        "namespace_import",
        "variable_declarator",
        "function_declaration",
        "required_parameter",
        "optional_parameter",
        "arrow_function",
        "object_pattern",
        "array_pattern",
        "pair_pattern",
    }
)


def outside_calls(source: str, path: str) -> tuple[tuple[int, int, str], ...]:
    """(line, column, name) of each call of `fetch` or a timer inside a query or mutation, in source order."""
    if not any(name in source for name in OUTSIDE_CALLS):
        return ()
    program = parse(source, path)
    builders = frozenset(_builders(program))
    candidates = frozenset(OUTSIDE_CALLS) - _bound_names(program)
    lines = source.encode().split(b"\n")
    found = []
    seen_until = 0
    for definition in of_type(program, "call_expression"):
        if definition.start_byte < seen_until or _callee(definition) not in builders:
            continue
        seen_until = definition.end_byte
        for call in of_type(definition, "call_expression"):
            if (name := _callee(call)) in candidates:
                row, column = call.start_point
                found.append((row + 1, len(lines[row][:column].decode()) + 1, name))
    return tuple(found)


def _builders(program: Node) -> Iterator[str]:
    for statement in of_type(program, "import_statement"):
        specifier = statement.child_by_field_name("source")
        if specifier is None or not string_value(specifier).removesuffix(".js").endswith("_generated/server"):
            continue
        for imported in of_type(statement, "import_specifier"):
            name = imported.child_by_field_name("name")
            if name is not None and text_of(name) in _BUILDERS:
                yield text_of(imported.child_by_field_name("alias") or name)


def _bound_names(program: Node) -> frozenset[str]:
    """Those of the names that the file declares, imports or takes as a parameter anywhere."""
    bound = set()
    for kind in ("identifier", "shorthand_property_identifier_pattern"):
        for node in of_type(program, kind):
            parent = node.parent if text_of(node) in OUTSIDE_CALLS else None
            if parent is not None and parent.type in _BINDERS and not _is_value(node, parent):
                bound.add(text_of(node))
    return frozenset(bound)


def _is_value(node: Node, parent: Node) -> bool:
    """Whether the identifier is what a declaration is set to, not what it declares."""
    return any(parent.child_by_field_name(name) == node for name in ("value", "body", "right"))


def _callee(call: Node) -> str:
    function = call.child_by_field_name("function")
    return text_of(function) if function is not None and function.type == "identifier" else ""
