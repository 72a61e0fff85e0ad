"""Walks over expressions. A chain of operators may be deeper than Python's own stack: nothing recurses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from memagic.spec.tree import Binary, Call, Indexed, Unary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memagic.spec.tree import Expression

__all__ = ["fold", "nodes_of", "of_parts", "operands_of", "with_leaves"]

T = TypeVar("T")


def operands_of(node: Expression) -> tuple[Expression, ...]:
    """The expressions that a node is made of, from left to right."""
    match node:
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Call():
            return node.arguments
        case Indexed():
            return (node.index,)
        case _:
            return ()


def nodes_of(tree: Expression) -> Iterator[Expression]:
    """Every part of an expression, each before its own parts, from left to right."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(operands_of(node)))


def fold(tree: Expression, combine: Callable[[Expression, list[T]], T]) -> T:
    """What `combine` makes of an expression from what it has made of its parts, from the leaves upwards."""
    waiting = [(tree, False)]
    made: list[T] = []
    while waiting:
        node, ready = waiting.pop()
        operands = operands_of(node)
        if operands and not ready:
            waiting.append((node, True))
            waiting.extend((operand, False) for operand in reversed(operands))
            continue
        parts = made[len(made) - len(operands) :]
        del made[len(made) - len(operands) :]
        made.append(combine(node, parts))
    return made[0]


def with_leaves(tree: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with `change` applied to every part that has no parts of its own."""
    return fold(tree, lambda node, parts: of_parts(node, parts) if parts else change(node))


def of_parts(node: Expression, parts: list[Expression]) -> Expression:
    """A node of the same kind with other parts."""
    match node:
        case Unary():
            return replace(node, operand=parts[0])
        case Binary():
            return replace(node, left=parts[0], right=parts[1])
        case Call():
            return replace(node, arguments=tuple(parts))
        case Indexed():
            return replace(node, index=parts[0])
        case _:
            return node
