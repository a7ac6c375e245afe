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

_BINDING_PART = {"pair_pattern": "value", "assignment_pattern": "left", "object_assignment_pattern": "left"}


def parse(source: str, path: str) -> Node:
    """The whole file; the path decides the language."""
    return _parser(PurePosixPath(path).suffix in _TYPESCRIPT_ONLY).parse(source.encode()).root_node


def of_type(node: Node, kind: str) -> Iterator[Node]:
    """All nodes of a type, the node itself included, in source order. Not recursive: generated code may nest deeply."""
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type == kind:
            yield current
        stack.extend(reversed(current.named_children))


def text_of(node: Node) -> str:
    """The source text of a node."""
    return (node.text or b"").decode()


def string_value(node: Node) -> str:
    """What is between the quotes of a string."""
    return text_of(node)[1:-1]


def directives(source: str, path: str) -> tuple[str, ...]:
    """The strings that stand before any other statement, as in "use node"."""
    found = []
    for statement in parse(source, path).named_children:
        if statement.type in {"comment", "hash_bang_line"}:
            continue
        value = statement.named_children[0] if statement.type == "expression_statement" else None
        if value is None or value.type != "string":
            break
        found.append(text_of(value)[1:-1])
    return tuple(found)


def exported_lines(source: str, path: str) -> Mapping[str, int]:
    """Exported name → line (from 1) of its definition, in source order. Names behind `export *` are not known here."""
    program = parse(source, path)
    local = {name: node for statement in program.named_children for name, node in _declared(_declaration(statement))}
    places: dict[str, tuple[int, int]] = {}
    for statement in program.named_children:
        if statement.type == "export_statement":
            for name, node in _exported(statement, local):
                places.setdefault(name, (node.start_point.row, node.start_point.column))
    return {name: row + 1 for name, (row, _) in sorted(places.items(), key=lambda item: item[1])}


def component_uses(source: str, path: str) -> tuple[tuple[str, str | None], ...]:
    """Each `app.use(definition, { name })` of a convex.config file: what was imported, and the name if one is given."""
    program = parse(source, path)
    imported: dict[str, str] = {}
    for statement in program.named_children:
        specifier = statement.child_by_field_name("source")
        if statement.type == "import_statement" and specifier is not None:
            imported |= {text_of(name): string_value(specifier) for name in of_type(statement, "identifier")}
    uses = []
    for call in of_type(program, "call_expression"):
        function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if function is None or arguments is None or function.type != "member_expression":
            continue
        method = function.child_by_field_name("property")
        given = [node for node in arguments.named_children if node.type != "comment"]
        if method is not None and text_of(method) == "use" and given and text_of(given[0]) in imported:
            uses.append((imported[text_of(given[0])], _option(given[1], "name") if len(given) > 1 else None))
    return tuple(uses)


def component_name(source: str, path: str) -> str | None:
    """The name in `defineComponent("name")`."""
    for call in of_type(parse(source, path), "call_expression"):
        function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if function is not None and arguments is not None and text_of(function).endswith("defineComponent"):
            return next((string_value(node) for node in arguments.named_children if node.type == "string"), None)
    return None


def _option(options: Node, key: str) -> str | None:
    for pair in options.named_children:
        name, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if name is not None and value is not None and text_of(name) == key and value.type == "string":
            return string_value(value)
    return None


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
            yield text_of(child.named_children[0]).strip("\"'"), child
        if child.type != "export_clause":
            continue
        for specifier in child.named_children:
            name = specifier.child_by_field_name("name")
            if name is None:
                continue
            alias = specifier.child_by_field_name("alias") or name
            place = specifier if from_elsewhere else local.get(text_of(name), specifier)
            yield text_of(alias).strip("\"'"), place


def _declaration(statement: Node) -> Node:
    inner = statement.child_by_field_name("declaration") if statement.type == "export_statement" else None
    return inner if inner is not None else statement


def _declared(declaration: Node) -> Iterator[tuple[str, Node]]:
    if declaration.type in {"lexical_declaration", "variable_declaration"}:
        for declarator in declaration.named_children:
            if (name := declarator.child_by_field_name("name")) is not None:
                yield from ((text_of(node), node) for node in _bound(name))
    elif declaration.type in _DECLARATIONS and (name := declaration.child_by_field_name("name")) is not None:
        yield text_of(name), name


def _bound(pattern: Node) -> Iterator[Node]:
    """The identifiers that a binding pattern introduces, in source order."""
    stack = [pattern]
    while stack:
        node = stack.pop()
        if node.type in {"identifier", "shorthand_property_identifier_pattern"}:
            yield node
            continue
        part = _BINDING_PART.get(node.type)
        inner = node.child_by_field_name(part) if part is not None else None
        stack.extend([inner] if inner is not None else reversed(node.named_children))


@cache
def _parser(typescript: bool) -> Parser:
    language = tree_sitter_typescript.language_typescript() if typescript else tree_sitter_typescript.language_tsx()
    return Parser(Language(language))
