"""Nonlinear combinations of the estimates and tests of them: `nlcom`, `testnl`, by the delta method.

Source: [R] nlcom, [R] testnl, Methods and formulas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import f
from memagic.display.grid_table import GridRow, GridTable
from memagic.display.report import Block, CoefficientTable, Report
from memagic.errors import CommandError, closest
from memagic.postestimation.differentiation import Dual, constant, differentiate
from memagic.postestimation.hypotheses import check_fitted, position_of
from memagic.postestimation.shown import Reported, Shown, estimate_row
from memagic.postestimation.wald import wald_statistic
from memagic.results.distributions import chi2_tail
from memagic.results.posted import AnyEstimates
from memagic.spec.constraint import Address
from memagic.spec.hypotheses import Equation, Named
from memagic.spec.tree import Estimated, Expression, Name

Array = NDArray[np.float64]

__all__ = ["NonlinearCombination", "NonlinearTest", "estimated", "nlcom", "testnl"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class NonlinearCombination(Reported):
    """Functions of the estimates with standard errors by the delta method.

    Attributes
    ----------
    names, expressions : tuple of str, length q
    b : ndarray, shape (q,)
    v : ndarray, shape (q, q)
    jacobian : ndarray, shape (q, k)
        Derivatives in e(b).
    z, p, lower, upper : ndarray, shape (q,)
    level : float
    statistic : {"z", "t"}
    df : float
        Of t; nan for z.
    depvar : str
    n_obs : int
    """

    names: tuple[str, ...]
    expressions: tuple[str, ...]
    b: Array
    v: Array
    jacobian: Array
    z: Array
    p: Array
    lower: Array
    upper: Array
    level: float
    statistic: Any
    df: float
    depvar: str
    n_obs: int

    @property
    def se(self) -> Array:
        """Standard errors, shape (q,)."""
        return np.sqrt(np.maximum(np.diag(self.v), 0.0))

    @property
    def r(self) -> dict[str, Any]:
        """`r()` of nlcom: N, b, V, and df_r under a survey design."""
        import pandas as pd

        names = list(self.names)
        found: dict[str, Any] = {
            "N": self.n_obs,
            "b": pd.DataFrame([self.b], index=["r1"], columns=names),
            "V": pd.DataFrame(self.v, index=names, columns=names),
        }
        return found if np.isnan(self.df) else found | {"df_r": self.df}

    def heading(self) -> tuple[str, ...]:
        """Each name with its expression."""
        lines = [f"{name:>12}:  {words}" for name, words in zip(self.names, self.expressions, strict=True)]
        return ("", *lines, "")

    def report(self) -> Report:
        """The table; the expressions stand above it."""
        columns = (self.b, self.se, self.z, self.p, self.lower, self.upper)
        rows = tuple(estimate_row(name, columns, k) for k, name in enumerate(self.names))
        table = CoefficientTable(
            self.depvar, "Coefficient", "Std. err.", self.statistic, self.level, (Block(rows),)
        )
        above = tuple(f"{n}:  {words}" for n, words in zip(self.names, self.expressions, strict=True))
        return Report(notes_before=above, table=table)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class NonlinearTest(Shown):
    """A joint Wald test of nonlinear hypotheses.

    Attributes
    ----------
    hypotheses : tuple of str
        As they were typed.
    statistic : float
        chi2, or F under a survey design.
    df : int
    df_r : float
        Denominator degrees of freedom; nan for a chi2 test.
    p : float
    """

    hypotheses: tuple[str, ...]
    statistic: float
    df: int
    df_r: float
    p: float

    @property
    def name(self) -> str:
        """``chi2`` or ``F``."""
        return "chi2" if np.isnan(self.df_r) else "F"

    @property
    def r(self) -> dict[str, Any]:
        """`r()` of testnl: p, chi2 or F, df, df_r."""
        found: dict[str, Any] = {"p": self.p, self.name: self.statistic, "df": self.df}
        return found | {"df_r": self.df_r} if self.name == "F" else found

    def grid(self) -> GridTable:
        """The test, with the hypotheses below it."""
        df = f"{self.df}" if self.name == "chi2" else f"{self.df}, {self.df_r:g}"
        cells = (f(self.statistic, 9, 2), df, f(self.p, 6, 4))
        notes = tuple(line.strip() for line in self._listed())
        heads = (self.name, "df", f"Prob > {self.name}")
        return GridTable("Wald test", heads, (GridRow("Wald test", cells),), notes)

    def _listed(self) -> list[str]:
        return [f"  ({k})  {words}" for k, words in enumerate(self.hypotheses, 1)]

    def to_text(self) -> str:
        """The manual's text."""
        left = f"chi2({self.df})" if self.name == "chi2" else f"F({self.df}, {self.df_r:g})"
        lines = [*self._listed(), ""]
        lines += [f"{left:>22} ={f(self.statistic, 12, 2):>12}"]
        lines += [f"{'Prob > ' + self.name:>22} ={f(self.p, 14, 4):>14}"]
        return "\n".join(lines)


def nlcom(
    estimates: AnyEstimates, expressions: Sequence[Named], stored: Mapping[str, Any], *, level: float = 95.0
) -> NonlinearCombination:
    """Functions of the estimates.

    Parameters
    ----------
    estimates : Estimates
    expressions : sequence of Named
    stored : mapping
        What ``e(name)`` is in them.
    level : float
        Confidence level in percent.

    Raises
    ------
    CommandError
        A name that is not there, r(111), or an expression without a value, r(498).
    """
    check_fitted(estimates)
    duals = [_dual(estimates, one.expression, stored, one.text) for one in expressions]
    b = np.array([dual.value for dual in duals])
    jacobian = np.array([dual.gradient for dual in duals])
    v = jacobian @ estimates.v @ jacobian.T
    se = np.sqrt(np.maximum(np.diag(v), 0.0))
    known = se > 0.0
    z = np.where(known, b / np.where(known, se, 1.0), np.nan)
    uncertainty = estimates.uncertainty
    half = np.where(known, uncertainty.critical(level) * se, np.nan)
    return NonlinearCombination(
        names=tuple(one.name for one in expressions),
        expressions=tuple(one.text for one in expressions),
        b=b,
        v=v,
        jacobian=jacobian,
        z=z,
        p=uncertainty.two_sided(z),
        lower=b - half,
        upper=b + half,
        level=level,
        statistic=uncertainty.statistic,
        df=float("nan") if uncertainty.survey is None else float(uncertainty.survey.df),
        depvar=estimates.equation,
        n_obs=estimates.n_obs,
    )


def testnl(
    estimates: AnyEstimates, equations: Sequence[Equation], stored: Mapping[str, Any]
) -> NonlinearTest:
    """Test nonlinear hypotheses together.

    Raises
    ------
    CommandError
        As for `nlcom`; hypotheses of which one follows from the others, r(498).
    """
    check_fitted(estimates)
    duals = [_dual(estimates, one.difference, stored, one.text) for one in equations]
    jacobian = np.array([dual.gradient for dual in duals])
    difference = np.array([dual.value for dual in duals])
    chi2, kept = wald_statistic(difference, jacobian @ estimates.v @ jacobian.T)
    q = len(duals)
    if len(kept) < q:
        hint = "one of them follows from the others, or nothing in it is estimated"
        raise CommandError(498, "hypotheses are not independent", hint=hint)
    if estimates.uncertainty.survey is None:
        statistic, below, p = chi2, float("nan"), chi2_tail(q, chi2)
    else:
        statistic, (_, whole), p = estimates.uncertainty.joint(chi2, q)
        below = float(whole)
    return NonlinearTest(tuple(one.text for one in equations), statistic, q, below, p)


def _dual(estimates: AnyEstimates, tree: Expression, stored: Mapping[str, Any], text: str) -> Dual:
    k = len(estimates.parameters)

    def leaf(node: Estimated | Name) -> Dual:
        if isinstance(node, Name):
            hint = f"type _b[{node.name}]"
            raise CommandError(111, f"{node.name} not found", span=node.span, hint=hint)
        return estimated(estimates, node, stored)

    found = differentiate(tree, leaf, k)
    if not np.isfinite(found.value) or not np.isfinite(found.gradient).all():
        raise CommandError(
            498, f"{text} has no value at the estimates", hint="a logarithm, a root or a ratio?"
        )
    return found


def estimated(estimates: AnyEstimates, node: Estimated, stored: Mapping[str, Any]) -> Dual:
    """What ``_b[x]``, ``_se[x]`` and ``e(x)`` are.

    Parameters
    ----------
    estimates : Estimates
    node : Estimated
    stored : mapping
        What ``e(name)`` is.

    Raises
    ------
    CommandError
        A name that is not there, r(111).
    """
    k = len(estimates.parameters)
    if node.kind == "e":
        value = stored.get(node.name)
        if not isinstance(value, int | float):
            near = closest(node.name, [n for n, one in stored.items() if isinstance(one, int | float)])
            raise CommandError(111, f"e({node.name}) is no number", span=node.span, hint=near)
        return constant(float(value), k)
    name, equation = node.name, None
    if ":" in name:
        equation, name = name.split(":", 1)
    place = position_of(estimates, Address(name, equation, node.span))
    if place is None:
        return constant(0.0, k)
    if node.kind == "_se":
        return constant(float(estimates.se[place]), k)
    zero = np.zeros(k)
    return Dual(estimates.b[place], np.eye(k)[place], np.zeros(()), zero)
