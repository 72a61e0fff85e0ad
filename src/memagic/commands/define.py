"""The commands `constraint` and `matrix`: what they define, list and drop."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError, closest
from memagic.spec.constraint import Constraint, parse_constraint, parse_constraint_command
from memagic.spec.matrix import parse_matrix_command

if TYPE_CHECKING:
    from memagic.spec.tree import Span

Array = NDArray[np.float64]

__all__ = [
    "Listing",
    "as_constraints",
    "as_matrices",
    "as_matrix",
    "constraint_command",
    "find_matrix",
    "find_value",
    "matrix_command",
]


@dataclass(frozen=True, slots=True)
class Listing:
    """What `constraint dir` and `matrix list` show."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def as_matrix(name: str, value: Any, span: Span | None = None) -> Array:
    """A matrix as it is used: numbers in two dimensions, nan for missing values.

    Values with names, as Series and mappings have them, are one row.

    Raises
    ------
    CommandError
        It has no numbers, or not two dimensions, r(109).
    """
    if isinstance(value, Mapping):
        value = [list(value.values())]
    elif hasattr(value, "index") and getattr(value, "ndim", 0) == 1:
        value = [list(value)]
    try:
        matrix = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise CommandError(109, f"matrix {name} has elements that are no numbers", span=span) from None
    if matrix.ndim == 0:
        matrix = matrix.reshape(1, 1)
    if matrix.ndim != 2 or matrix.size == 0:
        raise CommandError(109, f"matrix {name} does not have rows and columns", span=span)
    return matrix


def as_matrices(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Matrices by name as they are kept: copies, of what has names with these.

    Raises
    ------
    CommandError
        One of them is no matrix, r(109).
    """
    kept: dict[str, Any] = {}
    for name, value in (given or {}).items():
        matrix = as_matrix(name, value)
        if isinstance(value, Mapping):
            kept[name] = dict(value)
        else:
            kept[name] = value.copy() if hasattr(value, "index") and hasattr(value, "copy") else matrix
    return kept


def as_constraints(given: Mapping[int, str] | None) -> dict[int, Constraint]:
    """Constraints by number, from their texts."""
    return {number: parse_constraint(text) for number, text in (given or {}).items()}


def constraint_command(text: str, constraints: dict[int, Constraint]) -> Listing | None:
    """Carry out ``constraint ...`` on the constraints of a session.

    Raises
    ------
    CommandError
        What is wrong with the command.
    """
    command = parse_constraint_command(text)
    if command.action == "define":
        assert command.constraint is not None
        constraints[command.numbers[0]] = command.constraint
        return None
    if command.action == "drop":
        for number in command.numbers or tuple(constraints):
            constraints.pop(number, None)
        return None
    chosen = command.numbers or tuple(constraints)
    lines = [f"{number:>6}: {constraints[number].text}" for number in sorted(chosen) if number in constraints]
    return Listing("\n".join(lines) or "no constraints")


def matrix_command(text: str, matrices: MutableMapping[str, Any]) -> Listing | None:
    """Carry out ``matrix ...`` on the matrices of a session.

    Raises
    ------
    CommandError
        What is wrong with the command; a matrix that is not there, r(111).
    """
    command = parse_matrix_command(text)
    if isinstance(matrices, ChainMap) and command.action in ("dir", "drop"):
        # What stands behind, as the variables of a notebook do, is found but not the session's own.
        matrices = matrices.maps[0]
    if command.action == "define":
        (name,) = command.names
        matrices[name] = np.array(command.rows)
        return None
    if command.action == "dir":
        lines = []
        for name, value in sorted(matrices.items()):
            rows, columns = as_matrix(name, value).shape
            lines.append(f"{name:>12}[{rows},{columns}]")
        return Listing("\n".join(lines) or "no matrices")
    for name, span in zip(command.names, command.spans, strict=True):
        find_matrix(name, matrices, span)
    if command.action == "drop":
        for name in command.names or tuple(matrices):
            del matrices[name]
        return None
    return Listing("\n\n".join(_listed(name, as_matrix(name, matrices[name])) for name in command.names))


def find_matrix(name: str, matrices: Mapping[str, Any], span: Span) -> Array:
    """A matrix of the session.

    Raises
    ------
    CommandError
        ``matrix A not found``, r(111); it is none, r(109).
    """
    return as_matrix(name, find_value(name, matrices, span), span)


def find_value(name: str, matrices: Mapping[str, Any], span: Span) -> Any:
    """A matrix of the session as it is kept, with names where it has them.

    Raises
    ------
    CommandError
        ``matrix A not found``, r(111).
    """
    if name not in matrices:
        hint = closest(name, matrices) or rf"define it: matrix {name} = (1, . \ 0, 1), or pass matrices="
        raise CommandError(111, f"matrix {name} not found", span=span, hint=hint)
    return matrices[name]


def _listed(name: str, matrix: Array) -> str:
    """``A[2,2]`` and the elements under the names of their columns."""
    rows, columns = matrix.shape
    cells = [["." if np.isnan(value) else f"{value:.8g}" for value in row] for row in matrix]
    heads = [f"c{k + 1}" for k in range(columns)]
    widths = [max(len(head), *(len(row[k]) for row in cells)) + 2 for k, head in enumerate(heads)]
    label = len(f"r{rows}")
    lines = [f"{name}[{rows},{columns}]"]
    lines.append(" " * label + "".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)))
    lines += (
        f"{f'r{r + 1}':>{label}}"
        + "".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        for r, row in enumerate(cells)
    )
    return "\n".join(lines)
