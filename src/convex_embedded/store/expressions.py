"""Filter expressions: the JSON that `q.eq(q.field("a"), 1)` and its like leave behind, compiled to functions.

They come from generated code: anything malformed is a StoreError. It knows values only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from convex_embedded.store.errors import StoreError
from convex_embedded.store.order import equal, sort_key
from convex_embedded.store.values import (
    MAX_INT64,
    MIN_INT64,
    UNDEFINED,
    Value,
    at_path,
    decode_or_undefined,
)

Evaluate = Callable[[Value], Value]
MAX_EXPRESSION_NESTING: Final = 128
MAX_EVALUATIONS: Final = 10_000_000
"""Parts of the expression times documents, for one read: they are evaluated by us, on nobody's clock."""


def compile_filter(expression: Any) -> Callable[[Value], bool]:
    """A predicate over the value of a document. Raises StoreError."""
    evaluate = _compile(expression, 0)
    parts, done = _parts(expression), 0

    def passes(value: Value) -> bool:
        nonlocal done
        done += parts
        if done > MAX_EVALUATIONS:
            raise StoreError("The filter expression is too large for the number of documents that it is applied to")
        return truthy(evaluate(value))

    return passes


def _parts(expression: Any) -> int:
    """Of an expression that was compiled."""
    count, todo = 0, [expression]
    while todo:
        part = todo.pop()
        count += 1
        if isinstance(part, dict) and len(part) == 1:
            ((operator, operand),) = part.items()
            if operator not in ("$literal", "$field"):
                todo += operand if isinstance(operand, list) else [operand]
    return count


def truthy(value: Value) -> bool:
    """As JavaScript sees it: undefined, null, false, 0, NaN and "" are not."""
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    if isinstance(value, (list, dict, bytes)):
        return True
    return value is not UNDEFINED and bool(value)


def _compile(expression: Any, depth: int) -> Evaluate:
    if depth > MAX_EXPRESSION_NESTING:
        raise StoreError("The filter expression is too nested")
    if not isinstance(expression, dict) or len(expression) != 1:
        raise StoreError("Malformed filter expression")
    ((operator, operand),) = expression.items()
    if operator == "$literal":
        literal = decode_or_undefined(operand)
        return lambda value: literal
    if operator == "$field":
        if not isinstance(operand, str):
            raise StoreError("A field path in a filter must be a string")
        path = tuple(operand.split("."))
        return lambda value: at_path(value, path)
    operands = operand if isinstance(operand, list) else [operand]
    parts = [_compile(part, depth + 1) for part in operands]
    if operator == "$and":
        return lambda value: all(truthy(part(value)) for part in parts)
    if operator == "$or":
        return lambda value: any(truthy(part(value)) for part in parts)
    if operator in ("$not", "$neg") and len(parts) == 1:
        only = parts[0]
        return (lambda value: not truthy(only(value))) if operator == "$not" else (lambda value: _negate(only(value)))
    binary = _BINARY.get(operator)
    if binary is None or len(parts) != 2:
        raise StoreError(f"Unknown operator {operator} in a filter expression")
    left, right = parts
    return lambda value: binary(left(value), right(value))


def _arithmetic(name: str, floats: Callable[[float, float], float], ints: Callable[[int, int], int]) -> Any:
    def apply(a: Value, b: Value) -> Value:
        if isinstance(a, float) and isinstance(b, float):
            return floats(a, b)
        if type(a) is int and type(b) is int:
            return _int64(ints(a, b), name)
        raise StoreError(f"q.{name} needs two numbers or two int64 values")

    return apply


def _int64(number: int, name: str) -> int:
    if not MIN_INT64 <= number <= MAX_INT64:
        raise StoreError(f"q.{name} overflowed an int64")
    return number


def _negate(value: Value) -> Value:
    if isinstance(value, float):
        return -value
    if type(value) is int:
        return _int64(-value, "neg")
    raise StoreError("q.neg needs a number or an int64 value")


def _divide(a: float, b: float) -> float:
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def _divide_int(a: int, b: int) -> int:
    if b == 0:
        raise StoreError("q.div divided an int64 by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _modulo(a: float, b: float) -> float:
    return math.nan if b == 0 or math.isinf(a) else math.fmod(a, b)


def _modulo_int(a: int, b: int) -> int:
    if b == 0:
        raise StoreError("q.mod divided an int64 by zero")
    return abs(a) % abs(b) * (-1 if a < 0 else 1)


_BINARY: Final[dict[str, Callable[[Value, Value], Value]]] = {
    "$eq": equal,
    "$neq": lambda a, b: not equal(a, b),
    "$lt": lambda a, b: sort_key(a) < sort_key(b),
    "$lte": lambda a, b: sort_key(a) <= sort_key(b),
    "$gt": lambda a, b: sort_key(a) > sort_key(b),
    "$gte": lambda a, b: sort_key(a) >= sort_key(b),
    "$add": _arithmetic("add", lambda a, b: a + b, lambda a, b: a + b),
    "$sub": _arithmetic("sub", lambda a, b: a - b, lambda a, b: a - b),
    "$mul": _arithmetic("mul", lambda a, b: a * b, lambda a, b: a * b),
    "$div": _arithmetic("div", _divide, _divide_int),
    "$mod": _arithmetic("mod", _modulo, _modulo_int),
}
