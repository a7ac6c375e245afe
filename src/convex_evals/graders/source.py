"""Questions to the syntax tree of one TypeScript file: imports, directives, exports, calls and what becomes of them.

Names are resolved before they are compared: `import { query as q }`, `async ({ db }) =>`, `const { db } = ctx` and a
query kept in a variable all read as "query" and "ctx.db.query". Behaviour is asked first; this is the last resort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from convex_evals.graders.source_names import Names, callee_text, statement_of, string_value, unwrap

_JSX_SUFFIXES = (".tsx", ".jsx")


@dataclass(frozen=True)
class Import:
    """One import statement (or `export … from`)."""

    module: str
    names: Mapping[str, str]
    """Imported name → local name; "default" and "*" for those."""
    type_only: bool
    line: int


@dataclass(frozen=True)
class Step:
    """One method called on a value: `.withIndex("by_author", …)`; "for await" for a loop over it."""

    name: str
    args: tuple[str, ...]
    """Source text of the arguments."""


@dataclass(frozen=True)
class Call:
    """One call expression."""

    name: str
    """Resolved name of what is called: "ctx.db.query", "v.id", "query"."""
    args: tuple[str, ...]
    """Source text of the arguments; see `strings`."""
    strings: tuple[str | None, ...]
    """Value of each argument that is a plain string, else None."""
    keys: tuple[str, ...]
    """Property names of the first argument when it is an object literal."""
    then: tuple[Step, ...]
    """Methods called on the result, through variables too, up to the `await`: ("withIndex", "collect")."""
    awaited: bool
    """Stands, with its steps, directly under `await`."""
    inside: str
    """Name of the top-level declaration around it, "" at the top level itself."""
    line: int

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of `then`."""
        return tuple(step.name for step in self.then)


@dataclass(frozen=True)
class Export:
    """One exported name."""

    name: str
    """"default" for the default export."""
    call: Call | None
    """The call whose result is exported: `export const f = query({…})` has call.name "query"."""
    line: int


@dataclass(frozen=True)
class Source:
    """One file of the submission."""

    path: str
    text: str
    _root: Node = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_root", _parse(self.text, self.path.endswith(_JSX_SUFFIXES)))

    def directives(self) -> tuple[str, ...]:
        """Directives before the first statement: ("use node",)."""
        found = []
        for statement in self._root.named_children:
            if statement.type == "comment":
                continue
            value = string_value(statement.named_children[0]) if statement.type == "expression_statement" else None
            if value is None:
                break
            found.append(value)
        return tuple(found)

    def imports(self, module: str | None = None) -> list[Import]:
        """Import statements in source order; only those from one module, when given."""
        found = [Import(i.module, i.names, i.type_only, i.line) for i in self._names.imports]
        return [item for item in found if module is None or item.module == module]

    def exports(self) -> list[Export]:
        """Exported names in source order."""
        return [
            Export(name, self._call(value) if value is not None else None, line)
            for name, value, line in self._names.exports()
        ]

    def export(self, name: str) -> Export:
        """One export. Raises AssertionError when there is none of that name."""
        for item in self.exports():
            if item.name == name:
                return item
        raise AssertionError(f"{self.path} does not export {name}; it exports {[item.name for item in self.exports()]}")

    def calls(self, name: str | None = None) -> list[Call]:
        """Calls in source order: all, or those of a resolved name such as "ctx.db.query"."""
        found = (self._call(node) for node in _descendants(self._root, "call_expression"))
        return [call for call in found if call is not None and name in (None, call.name)]

    def strings(self) -> list[str]:
        """Values of all string literals, templates without substitutions included."""
        nodes = (node for node in _descendants(self._root, None) if node.type in ("string", "template_string"))
        return [value for node in nodes if (value := string_value(node)) is not None]

    @property
    def broken(self) -> bool:
        """Whether the file does not parse."""
        return self._root.has_error

    @cached_property
    def _names(self) -> Names:
        return Names(self._root)

    def _call(self, node: Node) -> Call | None:
        node = unwrap(node)
        callee = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        if node.type != "call_expression" or callee is None or arguments is None:
            return None
        steps, end = self._steps(node, set())
        values = [argument for argument in arguments.named_children if argument.type != "comment"]
        return Call(
            name=self._names.path(callee),
            args=tuple(callee_text(value) for value in values),
            strings=tuple(string_value(value) for value in values),
            keys=_keys(values[0]) if values else (),
            then=tuple(steps),
            awaited=end.parent is not None and end.parent.type == "await_expression",
            inside=statement_of(node),
            line=node.start_point[0] + 1,
        )

    def _steps(self, node: Node, seen: set[int]) -> tuple[list[Step], Node]:
        """Methods called on the value of a node, and the expression with which they end."""
        steps: list[Step] = []
        end = node
        while (parent := end.parent) is not None:
            if unwrap(parent) != parent and parent.type != "await_expression":
                end = parent
                continue
            call = parent.parent
            chained = parent.type in ("member_expression", "subscript_expression") and parent.child_by_field_name(
                "object"
            ) in (end,)
            if not chained or call is None or call.child_by_field_name("function") != parent:
                break
            steps.append(_step(parent, call))
            end = call
        steps += self._later_steps(end, seen)
        return steps, end

    def _later_steps(self, value: Node, seen: set[int]) -> list[Step]:
        """Methods called later on a variable that holds the value, and loops over it."""
        steps: list[Step] = []
        if (loop := value.parent) is not None and loop.type == "for_in_statement" and _awaits(loop):
            steps.append(Step("for await", ()))
        for use in self._names.uses_of_holder(value):
            if use.id not in seen:
                seen.add(use.id)
                steps += self._steps(use, seen)[0]
        return steps


@lru_cache(maxsize=256)
def _parse(text: str, jsx: bool) -> Node:
    grammar = tree_sitter_typescript.language_tsx() if jsx else tree_sitter_typescript.language_typescript()
    return Parser(Language(grammar)).parse(text.encode("utf-8")).root_node


def _descendants(root: Node, kind: str | None) -> Iterator[Node]:
    """Nodes below the root in source order."""
    stack = [root]
    while stack:
        node = stack.pop()
        if kind is None or node.type == kind:
            yield node
        stack.extend(reversed(node.named_children))


def _keys(value: Node) -> tuple[str, ...]:
    if value.type != "object":
        return ()
    found = []
    for member in value.named_children:
        name = member.child_by_field_name("key") or member.child_by_field_name("name") or member
        if name.type != "spread_element":
            found.append(string_value(name) or callee_text(name))
    return tuple(found)


def _step(member: Node, call: Node) -> Step:
    name = member.child_by_field_name("property") or member.child_by_field_name("index")
    arguments = call.child_by_field_name("arguments")
    values = arguments.named_children if arguments is not None else []
    text = (string_value(name) or callee_text(name)) if name is not None else ""
    return Step(text, tuple(callee_text(value) for value in values if value.type != "comment"))


def _awaits(loop: Node) -> bool:
    return any(child.type == "await" for child in loop.children)
