"""What the syntax tree of one source file says: its directives and where its exports are defined.

Parsed with tree-sitter, which always gives a tree: a file with syntax errors is judged by the bundler, not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

_TYPESCRIPT_ONLY = frozenset({".ts", ".mts", ".cts"})
_DECLARATIONS = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "class_declaration",
        "abstract_class_declaration",
        "enum_declaration",
    }
)


def directives(source: str, path: str) -> tuple[str, ...]:
    """The strings that stand before any other statement, as in "use node"."""
    found = []
    for statement in _program(source, path).named_children:
        if statement.type in {"comment", "hash_bang_line"}:
            continue
        value = statement.named_children[0] if statement.type == "expression_statement" else None
        if value is None or value.type != "string":
            break
        found.append(_text(value)[1:-1])
    return tuple(found)


def exported_lines(source: str, path: str) -> Mapping[str, int]:
    """Exported name → line (from 1) of its definition, in source order. Names behind `export *` are not known here."""
    program = _program(source, path)
    local = {name: node for statement in program.named_children for name, node in _declared(_declaration(statement))}
    places: dict[str, tuple[int, int]] = {}
    for statement in program.named_children:
        if statement.type == "export_statement":
            for name, node in _exported(statement, local):
                places.setdefault(name, (node.start_point.row, node.start_point.column))
    return {name: row + 1 for name, (row, _) in sorted(places.items(), key=lambda item: item[1])}


def component_uses(source: str, path: str) -> tuple[tuple[str, str | None], ...]:
    """Each `app.use(definition, { name })` of a convex.config file: what was imported, and the name if one is given."""
    program = _program(source, path)
    imported: dict[str, str] = {}
    for statement in program.named_children:
        specifier = statement.child_by_field_name("source")
        if statement.type == "import_statement" and specifier is not None:
            imported |= {_text(name): _string(specifier) for name in _of_type(statement, "identifier")}
    uses = []
    for call in _of_type(program, "call_expression"):
        function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if function is None or arguments is None or function.type != "member_expression":
            continue
        method = function.child_by_field_name("property")
        given = [node for node in arguments.named_children if node.type != "comment"]
        if method is not None and _text(method) == "use" and given and _text(given[0]) in imported:
            uses.append((imported[_text(given[0])], _option(given[1], "name") if len(given) > 1 else None))
    return tuple(uses)


def component_name(source: str, path: str) -> str | None:
    """The name in `defineComponent("name")`."""
    for call in _of_type(_program(source, path), "call_expression"):
        function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if function is not None and arguments is not None and _text(function).endswith("defineComponent"):
            return next((_string(node) for node in arguments.named_children if node.type == "string"), None)
    return None


def _option(options: Node, key: str) -> str | None:
    for pair in options.named_children:
        name, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if name is not None and value is not None and _text(name) == key and value.type == "string":
            return _string(value)
    return None


def _of_type(node: Node, kind: str) -> Iterator[Node]:
    if node.type == kind:
        yield node
    for child in node.named_children:
        yield from _of_type(child, kind)


def _string(node: Node) -> str:
    return _text(node)[1:-1]


def _exported(statement: Node, local: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    if any(child.type == "default" for child in statement.children):
        yield "default", statement
        return
    if (declaration := statement.child_by_field_name("declaration")) is not None:
        yield from _declared(declaration)
        return
    from_elsewhere = statement.child_by_field_name("source") is not None
    for child in statement.named_children:
        if child.type == "namespace_export":
            yield _text(child.named_children[0]).strip("\"'"), child
        if child.type != "export_clause":
            continue
        for specifier in child.named_children:
            name = specifier.child_by_field_name("name")
            if name is None:
                continue
            alias = specifier.child_by_field_name("alias") or name
            place = specifier if from_elsewhere else local.get(_text(name), specifier)
            yield _text(alias).strip("\"'"), place


def _declaration(statement: Node) -> Node:
    inner = statement.child_by_field_name("declaration") if statement.type == "export_statement" else None
    return inner if inner is not None else statement


def _declared(declaration: Node) -> Iterator[tuple[str, Node]]:
    if declaration.type in {"lexical_declaration", "variable_declaration"}:
        for declarator in declaration.named_children:
            if (name := declarator.child_by_field_name("name")) is not None:
                yield from ((_text(node), node) for node in _bound(name))
    elif declaration.type in _DECLARATIONS and (name := declaration.child_by_field_name("name")) is not None:
        yield _text(name), name


def _bound(pattern: Node) -> Iterator[Node]:
    """The identifiers that a binding pattern introduces."""
    if pattern.type in {"identifier", "shorthand_property_identifier_pattern"}:
        yield pattern
    elif pattern.type == "pair_pattern" and (value := pattern.child_by_field_name("value")) is not None:
        yield from _bound(value)
    elif pattern.type in {"assignment_pattern", "object_assignment_pattern"}:
        if (left := pattern.child_by_field_name("left")) is not None:
            yield from _bound(left)
    else:
        for child in pattern.named_children:
            yield from _bound(child)


def _program(source: str, path: str) -> Node:
    return _parser(PurePosixPath(path).suffix in _TYPESCRIPT_ONLY).parse(source.encode()).root_node


@cache
def _parser(typescript: bool) -> Parser:
    language = tree_sitter_typescript.language_typescript() if typescript else tree_sitter_typescript.language_tsx()
    return Parser(Language(language))


def _text(node: Node) -> str:
    return (node.text or b"").decode()
