"""Expressions with their exact derivatives, by forward accumulation.

Values may be numbers or have one element for every observation. Besides the gradient in the parameters
there is the slope in one direction, such as a variable, with the gradient of that slope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.postestimation.smooth import SMOOTH
from memagic.spec.tree import Binary, Call, Estimated, Expression, Name, Number, Unary
from memagic.spec.walk import fold

Array = NDArray[np.float64]

__all__ = ["Dual", "constant", "differentiate"]


@dataclass(frozen=True, slots=True, eq=False)
class Dual:
    """Values with their derivatives.

    Attributes
    ----------
    value : ndarray, shape s
        () for a number, (n,) by observation.
    gradient : ndarray, shape (*s, k)
    slope : ndarray, shape s
        The derivative in one direction.
    cross : ndarray, shape (*s, k)
        The gradient of the slope.
    """

    value: Array
    gradient: Array
    slope: Array
    cross: Array


def constant(value: float | Array, k: int) -> Dual:
    """What depends on no parameter."""
    found = np.asarray(value, dtype=float)
    zero = np.zeros((*found.shape, k))
    return Dual(found, zero, np.zeros(found.shape), zero)


Leaf = Callable[[Estimated | Name], Dual]


def differentiate(tree: Expression, leaf: Leaf, k: int) -> Dual:
    """An expression with its derivatives in k parameters.

    Parameters
    ----------
    tree : Expression
    leaf : callable
        What ``_b[x]``, ``_se[x]``, ``e(x)``, predictions and variables are.
    k : int

    Raises
    ------
    CommandError
        Text, r(109); a function that has no derivative here, r(198); what `leaf` raises.
    """
    with np.errstate(all="ignore"):
        return fold(tree, lambda node, parts: _apply(node, parts, leaf, k))


def _apply(node: Expression, parts: list[Dual], leaf: Leaf, k: int) -> Dual:
    match node:
        case Number():
            return constant(node.value, k)
        case Name(name="_pi"):
            return constant(np.pi, k)
        case Estimated() | Name():
            return leaf(node)
        case Unary():
            (part,) = parts
            if node.operator == "!":
                return constant(part.value == 0.0, k)
            return _through(part, -part.value, -1.0, 0.0) if node.operator == "-" else part
        case Binary():
            return _binary(node, parts[0], parts[1], k)
        case Call():
            return _call(node, parts)
        case _:
            raise CommandError(109, "type mismatch", span=node.span, hint="numbers are expected here")


# --- the rules ----------------------------------------------------------------------------------


def _times(factor: float | Array, tangent: Array) -> Array:
    """A derivative times a tangent; what does not move stays where the derivative is infinite."""
    return np.asarray(np.where(tangent == 0.0, 0.0, np.asarray(factor) * tangent))


def _each(factor: float | Array) -> Array:
    """A factor for gradients, which have one more axis."""
    return np.asarray(factor, dtype=float)[..., None]


def _through(a: Dual, value: Array, first: float | Array, second: float | Array) -> Dual:
    """f(a) from f, f' and f''."""
    cross = _times(_each(first), a.cross) + _times(_each(second), _each(a.slope) * a.gradient)
    return Dual(np.asarray(value), _times(_each(first), a.gradient), _times(first, a.slope), cross)


def _plus(a: Dual, b: Dual) -> Dual:
    return Dual(
        np.asarray(a.value + b.value),
        a.gradient + b.gradient,
        np.asarray(a.slope + b.slope),
        a.cross + b.cross,
    )


def _product(a: Dual, b: Dual) -> Dual:
    x, y = _each(a.value), _each(b.value)
    cross = x * b.cross + y * a.cross + _each(a.slope) * b.gradient + _each(b.slope) * a.gradient
    slope = a.value * b.slope + b.value * a.slope
    return Dual(np.asarray(a.value * b.value), x * b.gradient + y * a.gradient, np.asarray(slope), cross)


def _reciprocal(b: Dual) -> Dual:
    inverse = np.where(b.value == 0.0, np.nan, 1.0 / b.value)
    return _through(b, inverse, -(inverse**2), 2.0 * inverse**3)


def _power(a: Dual, b: Dual) -> Dual:
    """a^b; its derivatives in b have a logarithm, which matters only where b moves."""
    value, log = np.power(a.value, b.value), np.log(a.value)
    less = np.where(b.value == 0.0, 0.0, b.value * np.power(a.value, b.value - 1.0))
    second = np.where(
        (b.value == 0.0) | (b.value == 1.0),
        0.0,
        b.value * (b.value - 1.0) * np.power(a.value, b.value - 2.0),
    )
    in_a, in_b = _through(a, value, less, second), _through(b, value, value * log, value * log**2)
    mixed = np.power(a.value, b.value - 1.0) + less * log
    cross = in_a.cross + in_b.cross
    cross = cross + _times(_each(mixed), _each(a.slope) * b.gradient + _each(b.slope) * a.gradient)
    return Dual(in_a.value, in_a.gradient + in_b.gradient, in_a.slope + in_b.slope, cross)


_TRUTH: Mapping[str, Callable[[Array, Array], NDArray[np.bool_]]] = {
    "==": lambda a, b: np.asarray(a == b),
    "!=": lambda a, b: np.asarray(a != b),
    "<": lambda a, b: np.asarray(a < b),
    ">": lambda a, b: np.asarray(a > b),
    "<=": lambda a, b: np.asarray(a <= b),
    ">=": lambda a, b: np.asarray(a >= b),
    "&": lambda a, b: np.asarray((a != 0.0) & (b != 0.0)),
    "|": lambda a, b: np.asarray((a != 0.0) | (b != 0.0)),
}


def _binary(node: Binary, a: Dual, b: Dual, k: int) -> Dual:
    match node.operator:
        case "+":
            return _plus(a, b)
        case "-":
            return _plus(a, _through(b, -b.value, -1.0, 0.0))
        case "*":
            return _product(a, b)
        case "/":
            return _product(a, _reciprocal(b))
        case "^":
            return _power(a, b)
        case _:
            return constant(_TRUTH[node.operator](a.value, b.value).astype(float), k)


# --- functions ----------------------------------------------------------------------------------


def _call(node: Call, parts: list[Dual]) -> Dual:
    if len(parts) > 1 and node.function in ("normalden", "lnnormalden"):
        return _scaled(node.function, parts)
    if node.function in SMOOTH:
        value, first, second = SMOOTH[node.function](np.asarray(parts[0].value))
        return _through(parts[0], value, first, second)
    if node.function in ("max", "min"):
        found = parts[0]
        for part in parts[1:]:
            better = part.value > found.value if node.function == "max" else part.value < found.value
            found = _where(better, part, found)
        return found
    if node.function == "cond" and len(parts) == 3:
        return _where(parts[0].value != 0.0, parts[1], parts[2])
    raise CommandError(
        198,
        f"{node.function}() is not possible in an expression of estimates",
        span=node.span,
        hint=f"its functions are {', '.join(sorted([*SMOOTH, 'cond', 'max', 'min']))}",
    )


def _scaled(name: str, parts: list[Dual]) -> Dual:
    """The density of (x, s) or (x, mean, s), or its logarithm, by that of the standardized value."""
    x, s = parts[0], parts[-1]
    s = _through(s, np.where(s.value > 0.0, s.value, np.nan), 1.0, 0.0)
    if len(parts) == 3:
        x = _plus(x, _through(parts[1], -parts[1].value, -1.0, 0.0))
    z = _product(x, _reciprocal(s))
    density = _through(z, *SMOOTH[name](z.value))
    if name == "normalden":
        return _product(density, _reciprocal(s))
    log = _through(s, *SMOOTH["ln"](s.value))
    return _plus(density, _through(log, -log.value, -1.0, 0.0))


def _where(chosen: NDArray[np.bool_] | bool, a: Dual, b: Dual) -> Dual:
    each = np.asarray(chosen)[..., None]
    return Dual(
        np.where(chosen, a.value, b.value),
        np.where(each, a.gradient, b.gradient),
        np.where(chosen, a.slope, b.slope),
        np.where(each, a.cross, b.cross),
    )
