"""Linear hypotheses on the parameters, and the rows R and values r that they mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError, closest
from memagic.results.addresses import address_key, addresses_of
from memagic.results.estimates import Estimates
from memagic.results.posted import AnyEstimates, Posted
from memagic.spec.constraint import Address, Constraint
from memagic.spec.hypotheses import Hypotheses
from memagic.spec.tree import Factor, Term

Array = NDArray[np.float64]

__all__ = ["check_fitted", "coefficients_of", "linear_row", "position_of", "rows_of"]


def check_fitted(estimates: AnyEstimates) -> None:
    """Refuse starting values.

    Raises
    ------
    CommandError
        ``last estimates not found``, r(301).
    """
    if not estimates.fitted:
        raise CommandError(301, "last estimates not found", hint="noestimate showed starting values")


def position_of(estimates: AnyEstimates, address: Address) -> int | None:
    """The position of a parameter in e(b); None for a base level or an omitted column, which is zero.

    Raises
    ------
    CommandError
        ``x not found``, r(111).
    """
    if isinstance(estimates, Posted):
        return _position_of_posted(estimates, address)
    depvar = estimates.equation
    equation, name = address.equation, address.name
    places = {address_key(known): k for known, k in addresses_of(estimates.parameters).items()}
    zero = {
        address_key(column.name)
        for column in (*estimates.design.fixed, *estimates.design.with_bases)
        if column.state != "estimated"
    }
    key = address_key(name)
    if equation not in (None, depvar) or key not in places.keys() | zero:
        shown = f"[{equation}]{name}" if equation else name
        if equation not in (None, depvar):
            hint: str | None = f"the equation is [{depvar}]"
        elif name.startswith("i.") or "#i." in name:
            hint = f"all levels together: testparm {name}"
        else:
            hint = closest(name, [parameter.name for parameter in estimates.parameters])
        raise CommandError(111, f"{shown} not found", span=address.span, hint=hint)
    return places.get(key)


def _position_of_posted(estimates: Posted, address: Address) -> int:
    found = estimates.place(address.name, address.equation)
    if found is None:
        typed = f"{address.equation}:{address.name}" if address.equation else address.name
        shown = f"[{address.equation}]{address.name}" if address.equation else address.name
        hint = closest(typed, estimates.names) or f"they are {', '.join(estimates.names[:6])}"
        raise CommandError(111, f"{shown} not found", span=address.span, hint=hint)
    return found


def linear_row(estimates: AnyEstimates, terms: Sequence[tuple[float, Address]]) -> Array:
    """The coefficients of e(b) in a sum of parameters, shape (k,)."""
    row = np.zeros(len(estimates.parameters))
    for coefficient, address in terms:
        k = position_of(estimates, address)
        if k is not None:
            row[k] += coefficient
    return row


def rows_of(estimates: AnyEstimates, hypotheses: Hypotheses) -> tuple[Array, Array]:
    """R, shape (q, k), and r, shape (q,).

    Raises
    ------
    CommandError
        A parameter or an equation that is not there, r(111).
    """
    rows = [linear_row(estimates, constraint.terms) for constraint in hypotheses.constraints]
    values = [constraint.value for constraint in hypotheses.constraints]
    for name, span in hypotheses.equations:
        if isinstance(estimates, Posted):
            members = estimates.members(name)
            hint = "equations of posted margins are the variables of derivatives"
        else:
            members = estimates.tested if name == estimates.equation else np.empty(0, dtype=np.intp)
            hint = f"the equation is [{estimates.equation}]"
        if not len(members) and name != estimates.equation:
            raise CommandError(111, f"equation [{name}] not found", span=span, hint=hint)
        rows += list(np.eye(len(estimates.parameters))[members])
        values += [0.0] * len(members)
    return np.array(rows).reshape(-1, len(estimates.parameters)), np.array(values)


def coefficients_of(estimates: Estimates, terms: Sequence[Term]) -> tuple[Constraint, ...]:
    """Hypotheses that the coefficients of some terms are zero: what `testparm` tests.

    Raises
    ------
    CommandError
        ``no such variables; the specified varlist does not identify any testable coefficients``, r(111).
    """
    found: list[Constraint] = []
    for column in estimates.design.fixed:
        known = column.state == "estimated" and bool(column.factors)
        if known and any(_identifies(term, column.factors) for term in terms):
            found.append(Constraint(((1.0, Address(column.name)),), 0.0))
    if not found:
        names = {name for column in estimates.design.fixed for name, _ in column.factors}
        near = _factor_hint(terms, estimates) or next(
            (closest(f.variable, names) for term in terms for f in term.operands), None
        )
        raise CommandError(
            111,
            "no such variables; the specified varlist does not identify any testable coefficients",
            span=terms[0].span if terms else None,
            hint=near,
        )
    return tuple(found)


def _factor_hint(terms: Sequence[Term], estimates: Estimates) -> str | None:
    """What to type where the variables of a term are those of a column, but not as what they enter."""
    for term in terms:
        wanted = sorted(operand.variable for operand in term.operands)
        for column in estimates.design.fixed:
            if column.state == "estimated" and sorted(name for name, _ in column.factors) == wanted:
                kinds = {name: "c" if level is None else "i" for name, level in column.factors}
                alone = len(wanted) == 1 and kinds[wanted[0]] == "c"
                typed = "#".join(f"{kinds[f.variable]}.{f.variable}" for f in term.operands)
                return f"type testparm {wanted[0] if alone else typed}"
    return None


def _identifies(term: Term, factors: Sequence[tuple[str, float | None]]) -> bool:
    """Whether a column is one of a term's: the same variables, and levels that the term has."""
    if len(term.operands) != len(factors):
        return False
    left = list(factors)
    for operand in term.operands:
        match = next((pair for pair in left if _has(operand, pair)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _has(operand: Factor, pair: tuple[str, float | None]) -> bool:
    name, level = pair
    if operand.variable != name or (operand.kind == "c") != (level is None):
        return False
    return operand.levels is None or level in operand.levels
