"""Constraints on the parameters of a model: those that the user numbered, and those of matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memagic.commands.define import find_matrix
from memagic.data.design import Design
from memagic.engine.constraints import InconsistentConstraints, LinearConstraints, solve
from memagic.engine.problem import Problem
from memagic.errors import CommandError, closest
from memagic.results.addresses import address_key, addresses_of
from memagic.results.estimates import Parameter
from memagic.spec.constraint import Address, Constraint
from memagic.spec.tree import Command, Covariance, Option

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Definitions", "constraints_of"]


@dataclass(frozen=True, slots=True)
class Definitions:
    """What commands refer to by name or number.

    Attributes
    ----------
    constraints : mapping of int to Constraint
    matrices : mapping of str to what `as_matrix` or `from()` takes
    """

    constraints: Mapping[int, Constraint] = field(default_factory=dict)
    matrices: Mapping[str, Any] = field(default_factory=dict)


def constraints_of(
    command: Command,
    design: Design,
    problem: Problem,
    parameters: Sequence[Parameter],
    positions: Index,
    definitions: Definitions,
) -> tuple[LinearConstraints | None, int]:
    """The constraints of a command, in the engine's order of parameters.

    Parameters
    ----------
    command : Command
    design : Design
    problem : Problem
    parameters : sequence of Parameter
        In the order of e(b).
    positions : ndarray of int
        Where the engine has each of them.
    definitions : Definitions

    Returns
    -------
    constraints : LinearConstraints or None
        The user's, then those of covariance structures, without those that follow from others; None
        where there are none.
    n_user : int
        How many of them are the user's.

    Raises
    ------
    CommandError
        A constraint or a matrix that is not there, r(111), or does not fit, r(503) or r(506);
        constraints that contradict each other, r(412).
    """
    option = command.options.get("constraints")
    width = len(parameters)
    places = {address_key(name): int(positions[k]) for name, k in addresses_of(parameters).items()}
    zero = {address_key(column.name) for column in design.fixed if column.state != "estimated"}
    rows: list[Array] = []
    values: list[float] = []
    for number in _numbers(option):
        assert option is not None
        constraint = definitions.constraints.get(number)
        if constraint is None:
            hint = f"define it: constraint {number} x1 = x2, or pass constraints="
            span = option.argument_span
            raise CommandError(111, f"constraint {number} is not defined", span=span, hint=hint)
        row = np.zeros(width)
        for coefficient, address in constraint.terms:
            key = address_key(address.name)
            if address.equation not in (None, command.depvar.variable) or key not in places.keys() | zero:
                raise _not_found(number, constraint, address, command, parameters, option)
            if key in places:
                row[places[key]] += coefficient
        rows.append(row)
        values.append(constraint.value)
    n_user = len(rows)
    for row, value in _of_structures(command, design, problem, width, definitions.matrices):
        rows.append(row)
        values.append(value)
    if not rows:
        return None, 0
    given = LinearConstraints(np.array(rows), np.array(values))
    try:
        kept = solve(given).kept
    except InconsistentConstraints as error:
        numbers = _numbers(option)
        raise CommandError(
            412,
            "redundant or inconsistent constraints",
            span=None if option is None else option.argument_span,
            hint=f"constraint {numbers[error.row]} contradicts those before it"
            if error.row < n_user
            else None,
        ) from None
    return (given.rows(kept), sum(row < n_user for row in kept)) if kept else (None, 0)


def _numbers(option: Option | None) -> tuple[int, ...]:
    if option is None:
        return ()
    assert isinstance(option.value, tuple)
    return option.value


def _not_found(
    number: int,
    constraint: Constraint,
    address: Address,
    command: Command,
    parameters: Sequence[Parameter],
    option: Option,
) -> CommandError:
    known = address.equation in (None, command.depvar.variable)
    near = closest(address.name, [parameter.name for parameter in parameters]) if known else None
    shown = f"[{address.equation}]{address.name}" if address.equation else address.name
    hint = f"constraint {number} is {constraint.text}"
    if not known:
        hint += f"; the equation is [{command.depvar.variable}]"
    return CommandError(
        111,
        f"{shown} not found among the parameters",
        span=option.argument_span,
        hint=hint + (f"; {near}" if near else ""),
    )


def _of_structures(
    command: Command, design: Design, problem: Problem, width: int, matrices: Mapping[str, Any]
) -> list[tuple[Array, float]]:
    """What ``covariance(fixed(A))`` and ``covariance(pattern(A))`` say of the elements of Sigma."""
    found: list[tuple[Array, float]] = []
    if problem.structure is None:
        return found
    places = {entry: problem.p + k for k, entry in enumerate(problem.structure.entries)}
    sizes = [len(effects.columns) for level in design.levels for effects in level.equations]
    first = 0
    for equation, q in zip(command.random, sizes, strict=True):
        option = equation.options.get("covariance")
        chosen = None if option is None else option.value
        if option is not None and isinstance(chosen, Covariance) and chosen.matrix is not None:
            matrix = find_matrix(chosen.matrix, matrices, option.argument_span)
            if matrix.shape != (q, q):
                rows, columns = matrix.shape
                raise CommandError(
                    503,
                    "conformability error",
                    span=option.argument_span,
                    hint=f"{chosen.matrix} is {rows} x {columns}, and the equation has {q} random effects",
                )
            lower = {(r, c): float(matrix[r, c]) for r in range(q) for c in range(r + 1)}
            elements = {
                places[first + r, first + c]: value for (r, c), value in lower.items() if not np.isnan(value)
            }
            if chosen.kind == "fixed":
                _check_definite(lower, q, option)
                found += (_row(width, {place: 1.0}, value) for place, value in elements.items())
            else:
                found += _equal(width, elements)
        first += q
    return found


def _equal(width: int, elements: dict[int, float]) -> list[tuple[Array, float]]:
    """Elements with one value are equal to the first of them."""
    seen: dict[float, int] = {}
    rows = []
    for place, value in elements.items():
        if value in seen:
            rows.append(_row(width, {seen[value]: 1.0, place: -1.0}, 0.0))
        else:
            seen[value] = place
    return rows


def _row(width: int, coefficients: dict[int, float], value: float) -> tuple[Array, float]:
    row = np.zeros(width)
    row[list(coefficients)] = list(coefficients.values())
    return row, value


def _check_definite(lower: dict[tuple[int, int], float], q: int, option: Option) -> None:
    """Refuse values that are in no positive definite matrix, as far as pairs and the whole tell."""
    for size in {1, min(q, 2), q}:
        for chosen in combinations(range(q), size):
            part = np.array([[lower[max(r, c), min(r, c)] for c in chosen] for r in chosen])
            if not np.isnan(part).any() and np.linalg.eigvalsh(part)[0] <= 0.0:
                raise CommandError(506, "matrix not positive definite", span=option.argument_span)
