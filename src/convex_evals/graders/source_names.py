"""What a name in a TypeScript file stands for: imports, destructured parameters, constants, variables. Syntax only.

Good enough for code as models write it; a name that cannot be resolved stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

REGISTRARS = frozenset(
    {"query", "mutation", "action", "internalQuery", "internalMutation", "internalAction", "httpAction"}
)
_TRANSPARENT = frozenset(
    {
        "parenthesized_expression",
        "non_null_expression",
        "as_expression",
        "satisfies_expression",
        "type_assertion",
        "await_expression",
    }
)
_FUNCTIONS = frozenset(
    {"arrow_function", "function_expression", "function_declaration", "method_definition", "generator_function"}
)
_SCOPES = frozenset({"statement_block", "program", "switch_case"})
_PARAMETERS = ("ctx", "args")


@dataclass(frozen=True)
class ImportedNames:
    """One import statement."""

    module: str
    names: Mapping[str, str]
    type_only: bool
    line: int


def unwrap(node: Node) -> Node:
    """The expression inside parentheses, `!`, `as`, `satisfies` and `await`."""
    while node.type in _TRANSPARENT and node.named_children:
        node = node.named_children[-1] if node.type == "type_assertion" else node.named_children[0]
    return node


def callee_text(node: Node) -> str:
    """Source text of a node."""
    return node.text.decode("utf-8") if node.text is not None else ""


def string_value(node: Node) -> str | None:
    """Value of a string literal or of a template without substitutions; None for anything else."""
    if node.type not in ("string", "template_string"):
        return None
    if any(child.type == "template_substitution" for child in node.named_children):
        return None
    return "".join(_unescape(callee_text(child)) for child in node.named_children)


def statement_of(node: Node) -> str:
    """Name of the top-level declaration around a node."""
    name = ""
    current: Node | None = node
    while current is not None and current.type != "program":
        if current.type in ("variable_declarator", "function_declaration", "class_declaration"):
            named = current.child_by_field_name("name")
            name = callee_text(named) if named is not None else name
        elif current.type == "export_statement" and any(child.type == "default" for child in current.children):
            name = name or "default"
        current = current.parent
    return name


class Names:
    """Names of one file."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self.imports = [found for node in root.named_children if (found := _import(node)) is not None]
        self._imported = {
            local: original
            for item in self.imports
            for original, local in item.names.items()
            if original not in ("default", "*")
        }

    def path(self, node: Node) -> str:
        """Resolved dotted name of an expression: "ctx.db.query"; "(…)" where something is called on the way."""
        node = unwrap(node)
        if node.type in ("member_expression", "subscript_expression"):
            inner = node.child_by_field_name("object")
            name = node.child_by_field_name("property") or node.child_by_field_name("index")
            base = self.path(inner) if inner is not None else ""
            return f"{base}.{(string_value(name) or callee_text(name)) if name is not None else ''}"
        if node.type == "call_expression":
            callee = node.child_by_field_name("function")
            return f"{self.path(callee)}(…)" if callee is not None else "(…)"
        if node.type == "identifier":
            return self._meaning(callee_text(node), node)
        return callee_text(node)

    def exports(self) -> Iterator[tuple[str, Node | None, int]]:
        """Exported name, the expression behind it if it is known, line."""
        for statement in self._root.named_children:
            if statement.type != "export_statement":
                continue
            line = statement.start_point[0] + 1
            declaration = statement.child_by_field_name("declaration")
            value = statement.child_by_field_name("value")
            if declaration is not None and declaration.type in ("lexical_declaration", "variable_declaration"):
                for declarator in _declarators(declaration):
                    name = declarator.child_by_field_name("name")
                    yield callee_text(name) if name else "", declarator.child_by_field_name("value"), line
            elif any(child.type == "default" for child in statement.children):
                yield "default", self._value(value), line
            elif declaration is not None:
                name = declaration.child_by_field_name("name")
                yield callee_text(name) if name else "", None, line
            yield from self._listed(statement, line)

    def uses_of_holder(self, value: Node) -> list[Node]:
        """Uses, after it, of the variable that a value is stored in: `const q = <value>` or `q = <value>`."""
        parent = value.parent
        field = {"variable_declarator": "name", "assignment_expression": "left"}.get(parent.type if parent else "")
        name = parent.child_by_field_name(field) if parent is not None and field is not None else None
        if name is None or name.type != "identifier":
            return []
        scope = self._scope_declaring(callee_text(name), name) or self._root
        return [
            node
            for node in _identifiers(scope)
            if node.text == name.text and node.start_byte > value.end_byte and not _is_target(node)
        ]

    def _listed(self, statement: Node, line: int) -> Iterator[tuple[str, Node | None, int]]:
        for clause in statement.named_children:
            for item in clause.named_children if clause.type == "export_clause" else ():
                name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
                if name is not None:
                    local = statement.child_by_field_name("source") is None
                    yield callee_text(alias or name), self._value(name) if local else None, line

    def _value(self, node: Node | None) -> Node | None:
        """The expression that a name at the top level stands for; other expressions stand for themselves."""
        if node is None or node.type != "identifier":
            return node
        found = _declarator(self._root, callee_text(node))
        return found.child_by_field_name("value") if found is not None else None

    def _meaning(self, name: str, at: Node) -> str:
        inner: Node | None = at
        scope = at.parent
        while scope is not None:
            if scope.type in _SCOPES and (declarator := _declarator(scope, name)) is not None:
                return self._declared(declarator, name, inner)
            if scope.type in _FUNCTIONS and (found := self._parameter(scope, name)) is not None:
                return found
            inner, scope = scope, scope.parent
        return self._imported.get(name, name)

    def _declared(self, declarator: Node, name: str, inner: Node | None) -> str:
        """A constant that is a plain path stands for that path; any other variable for itself."""
        pattern, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
        if pattern is None or value is None or (inner is not None and _holds(declarator, inner)):
            return name
        plain = unwrap(value)
        if value.type == "await_expression" or plain.type not in ("identifier", "member_expression"):
            return name
        if callee_text(plain) == name:
            return name
        member = _member(pattern, name)
        base = self.path(plain)
        return base if member == "" else f"{base}.{member}"

    def _parameter(self, function: Node, name: str) -> str | None:
        """What a parameter stands for: the first two of a registered handler are ctx and args."""
        single = function.child_by_field_name("parameter")
        listed = function.child_by_field_name("parameters")
        parameters = [single] if single is not None else (listed.named_children if listed is not None else [])
        for place, parameter in enumerate(parameters):
            pattern = parameter.child_by_field_name("pattern") or parameter
            member = _member(pattern, name)
            if member is None:
                continue
            kind = parameter.child_by_field_name("type")
            is_context = place == 0 and kind is not None and callee_text(kind).rstrip(">").endswith("Ctx")
            if place < len(_PARAMETERS) and (is_context or self._is_handler(function)):
                return _PARAMETERS[place] + (f".{member}" if member else "")
            return name
        return None

    def _is_handler(self, function: Node) -> bool:
        if function.type == "method_definition":
            named = function.child_by_field_name("name")
            return named is not None and callee_text(named) == "handler"
        parent = function.parent
        if parent is not None and parent.type == "pair":
            key = parent.child_by_field_name("key")
            return key is not None and callee_text(key).strip("\"'") == "handler"
        if parent is None or parent.type != "arguments" or parent.parent is None:
            return False
        callee = parent.parent.child_by_field_name("function")
        return callee is not None and callee.type == "identifier" and self.path(callee) in REGISTRARS

    def _scope_declaring(self, name: str, at: Node) -> Node | None:
        scope = at.parent
        while scope is not None:
            if scope.type in _SCOPES and _declarator(scope, name) is not None:
                return scope
            scope = scope.parent
        return None


def _import(statement: Node) -> ImportedNames | None:
    source = statement.child_by_field_name("source")
    if statement.type not in ("import_statement", "export_statement") or source is None:
        return None
    names: dict[str, str] = {}
    for clause in statement.named_children:
        for item in clause.named_children if clause.type in ("import_clause", "export_clause") else ():
            if item.type == "identifier":
                names["default"] = callee_text(item)
            elif item.type == "namespace_import":
                names["*"] = callee_text(item.named_children[0])
            else:
                specifiers = item.named_children if item.type == "named_imports" else [item]
                names.update(_specifier(specifier) for specifier in specifiers)
    type_only = any(child.type == "type" for child in statement.children)
    return ImportedNames(string_value(source) or "", names, type_only, statement.start_point[0] + 1)


def _specifier(node: Node) -> tuple[str, str]:
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    original = callee_text(name) if name is not None else callee_text(node)
    return original, callee_text(alias) if alias is not None else original


def _declarators(declaration: Node) -> list[Node]:
    return [child for child in declaration.named_children if child.type == "variable_declarator"]


def _declarator(scope: Node, name: str) -> Node | None:
    """The declarator of a variable directly in a scope."""
    for statement in scope.named_children:
        inner = statement.child_by_field_name("declaration") if statement.type == "export_statement" else statement
        if inner is None or inner.type not in ("lexical_declaration", "variable_declaration"):
            continue
        for declarator in _declarators(inner):
            pattern = declarator.child_by_field_name("name")
            if pattern is not None and _member(pattern, name) is not None:
                return declarator
    return None


def _member(pattern: Node, name: str) -> str | None:
    """What of the value a pattern binds to a name: "" for all of it, a property, None when it binds no such name."""
    if pattern.type == "identifier":
        return "" if callee_text(pattern) == name else None
    if pattern.type != "object_pattern":
        return None
    for item in pattern.named_children:
        if item.type == "shorthand_property_identifier_pattern" and callee_text(item) == name:
            return name
        key, value = item.child_by_field_name("key"), item.child_by_field_name("value")
        if key is not None and value is not None and callee_text(value) == name:
            return callee_text(key)
    return None


def _identifiers(scope: Node) -> Iterator[Node]:
    stack = [scope]
    while stack:
        node = stack.pop()
        if node.type == "identifier":
            yield node
        stack.extend(reversed(node.named_children))


def _is_target(node: Node) -> bool:
    """Whether an identifier is assigned to here instead of being read."""
    parent = node.parent
    return parent is not None and parent.type == "assignment_expression" and parent.child_by_field_name("left") == node


def _holds(outer: Node, inner: Node) -> bool:
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte


def _unescape(text: str) -> str:
    if not text.startswith("\\"):
        return text
    return {"\\n": "\n", "\\t": "\t", "\\r": "\r"}.get(text, text[1:])
