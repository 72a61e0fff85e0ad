"""Expressions over the estimates with their exact derivatives, by forward accumulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.spec.tree import Binary, Call, Estimated, Expression, Name, Number, Unary
from memagic.spec.walk import operands_of

Array = NDArray[np.float64]

__all__ = ["Dual", "differentiate"]


@dataclass(frozen=True, slots=True)
class Dual:
    """A number with its gradient, shape (k,)."""

    value: float
    gradient: Array


def differentiate(tree: Expression, leaf: Callable[[Estimated], Dual], k: int) -> Dual:
    """The value of an expression and its gradient in k parameters.

    Parameters
    ----------
    tree : Expression
    leaf : callable
        What ``_b[x]``, ``_se[x]`` and ``e(x)`` are.
    k : int

    Raises
    ------
    CommandError
        A variable, r(111); text, r(109); a function that has no derivative here, r(198).
    """
    waiting: list[tuple[Expression, bool]] = [(tree, False)]
    made: list[Dual] = []
    zero = np.zeros(k)
    while waiting:
        node, ready = waiting.pop()
        operands = operands_of(node)
        if operands and not ready:
            waiting.append((node, True))
            waiting.extend((operand, False) for operand in reversed(operands))
            continue
        parts = made[len(made) - len(operands) :]
        del made[len(made) - len(operands) :]
        with np.errstate(all="ignore"):
            made.append(_apply(node, parts, leaf, zero))
    return made[0]


def _apply(node: Expression, parts: list[Dual], leaf: Callable[[Estimated], Dual], zero: Array) -> Dual:
    match node:
        case Number():
            return Dual(node.value, zero)
        case Name(name="_pi"):
            return Dual(float(np.pi), zero)
        case Estimated():
            return leaf(node)
        case Unary():
            (part,) = parts
            if node.operator == "!":
                return Dual(float(part.value == 0.0), zero)
            sign = -1.0 if node.operator == "-" else 1.0
            return Dual(sign * part.value, sign * part.gradient)
        case Binary():
            return _binary(node, parts[0], parts[1], zero)
        case Call():
            return _call(node, parts, zero)
        case Name():
            hint = f"type _b[{node.name}]"
            raise CommandError(111, f"{node.name} not found", span=node.span, hint=hint)
        case _:
            raise CommandError(109, "type mismatch", span=node.span, hint="expressions in _b[] are numbers")


_TRUTH: Mapping[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "&": lambda a, b: a != 0.0 and b != 0.0,
    "|": lambda a, b: a != 0.0 or b != 0.0,
}


def _binary(node: Binary, a: Dual, b: Dual, zero: Array) -> Dual:
    match node.operator:
        case "+":
            return Dual(a.value + b.value, a.gradient + b.gradient)
        case "-":
            return Dual(a.value - b.value, a.gradient - b.gradient)
        case "*":
            return Dual(a.value * b.value, a.value * b.gradient + b.value * a.gradient)
        case "/":
            if b.value == 0.0:
                return Dual(float("nan"), zero)
            ratio = a.value / b.value
            return Dual(ratio, (a.gradient - ratio * b.gradient) / b.value)
        case "^":
            return _power(a, b)
        case _:
            return Dual(float(_TRUTH[node.operator](a.value, b.value)), zero)


def _power(a: Dual, b: Dual) -> Dual:
    value = float(np.power(np.float64(a.value), b.value))
    gradient = np.zeros_like(a.gradient)
    if a.gradient.any():
        slope = 0.0 if b.value == 0.0 else b.value * float(np.power(np.float64(a.value), b.value - 1.0))
        gradient = gradient + slope * a.gradient
    if b.gradient.any():
        gradient = gradient + value * float(np.log(np.float64(a.value))) * b.gradient
    return Dual(value, gradient)


def _invlogit(x: float) -> float:
    return float(1.0 / (1.0 + np.exp(-x))) if x >= 0.0 else float(np.exp(x) / (1.0 + np.exp(x)))


# Value and derivative of functions of one number.
_SMOOTH: Mapping[str, Callable[[np.float64], tuple[float, float]]] = {
    "exp": lambda x: (float(np.exp(x)), float(np.exp(x))),
    "ln": lambda x: (float(np.log(x)), float(1.0 / x)),
    "log10": lambda x: (float(np.log10(x)), float(1.0 / (x * np.log(10.0)))),
    "sqrt": lambda x: (float(np.sqrt(x)), float(0.5 / np.sqrt(x))),
    "logit": lambda x: (float(np.log(x / (1.0 - x))), float(1.0 / (x * (1.0 - x)))),
    "invlogit": lambda x: (_invlogit(float(x)), _invlogit(float(x)) * _invlogit(-float(x))),
    "abs": lambda x: (float(np.abs(x)), float(np.sign(x))),
    "sign": lambda x: (float(np.sign(x)), 0.0),
    "floor": lambda x: (float(np.floor(x)), 0.0),
    "ceil": lambda x: (float(np.ceil(x)), 0.0),
    "int": lambda x: (float(np.trunc(x)), 0.0),
}


def _call(node: Call, parts: list[Dual], zero: Array) -> Dual:
    if node.function in _SMOOTH:
        value, slope = _SMOOTH[node.function](np.float64(parts[0].value))
        # A constant's gradient stays zero where the slope is infinite.
        gradient = slope * parts[0].gradient if parts[0].gradient.any() else zero
        return Dual(value, gradient)
    if node.function in ("max", "min"):
        choose = np.argmax if node.function == "max" else np.argmin
        return parts[int(choose([part.value for part in parts]))]
    if node.function == "cond" and len(parts) == 3:
        return parts[1] if parts[0].value != 0.0 else parts[2]
    raise CommandError(
        198,
        f"{node.function}() is not possible in an expression of estimates",
        span=node.span,
        hint=f"its functions are {', '.join(sorted([*_SMOOTH, 'cond', 'max', 'min']))}",
    )
