"""Walks over expressions. A chain of operators may be deeper than Python's own stack: nothing recurses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memagic.spec.tree import Binary, Call, Indexed, Unary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memagic.spec.tree import Expression

__all__ = ["nodes_of", "operands_of", "with_leaves"]


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


def with_leaves(tree: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with `change` applied to every part that has no parts of its own."""
    waiting = [(tree, False)]
    made: list[Expression] = []
    while waiting:
        node, ready = waiting.pop()
        operands = operands_of(node)
        if not operands:
            made.append(change(node))
        elif not ready:
            waiting.append((node, True))
            waiting.extend((operand, False) for operand in reversed(operands))
        else:
            parts = made[len(made) - len(operands) :]
            del made[len(made) - len(operands) :]
            made.append(_of_parts(node, parts))
    return made[0]


def _of_parts(node: Expression, parts: list[Expression]) -> Expression:
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
