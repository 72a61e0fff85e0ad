"""What `margins` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import count, g
from memagic.display.report import Block, CoefficientTable, Report, Row
from memagic.display.text import LINE_WIDTH
from memagic.postestimation.shown import Reported, estimate_row
from memagic.results.uncertainty import Uncertainty

Array = NDArray[np.float64]

__all__ = ["MarginRow", "Margins"]

_HEADS = {"": "Margin", "dydx": "dy/dx", "eyex": "ey/ex", "dyex": "dy/ex", "eydx": "ey/dx"}


@dataclass(frozen=True, slots=True)
class MarginRow:
    """What one margin is of.

    Attributes
    ----------
    prediction, at : int
        Positions of the prediction and of the point of `at()`.
    over, cell : tuple of (str, float)
        Levels of the variables of over() and of the marginlist.
    variable : str
        Of a derivative; empty without.
    level : float or None
        The level of a factor variable that is compared with its base.
    """

    prediction: int
    at: int
    over: tuple[tuple[str, float], ...]
    cell: tuple[tuple[str, float], ...]
    variable: str = ""
    level: float | None = None


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Margins(Reported):
    """Margins of responses or of derivatives.

    Attributes
    ----------
    rows : tuple of MarginRow, length m
    b : ndarray, shape (m,)
    v : ndarray, shape (m, m)
    jacobian : ndarray, shape (m, k)
        Derivatives in e(b).
    parameters : tuple of str, length k
    z, p, lower, upper : ndarray, shape (m,)
    level : float
    uncertainty : Uncertainty
        Of the estimates.
    derivative : str
        ``dydx`` and its kin; empty for margins of responses.
    all_fixed : bool
        Whether every covariate had one value.
    n_obs : int
    n_subpopulation : int or None
        Observations of subpop(); None without.
    unconditional : bool
        Whether the covariates count as sampled.
    predictions : tuple of str
        In words.
    at : tuple of tuple of (str, float or None, str)
        By point: variable, value, statistic; None where values differ between observations.
    legend : bool
        Whether the points are listed above the table.
    over : tuple of str
        Variables of over(), or of within() where `nested` says so.
    nested : bool
    value_labels : mapping
        Words for the levels of factor variables.
    """

    rows: tuple[MarginRow, ...]
    b: Array
    v: Array
    jacobian: Array
    parameters: tuple[str, ...]
    z: Array
    p: Array
    lower: Array
    upper: Array
    level: float
    uncertainty: Uncertainty
    derivative: str
    all_fixed: bool
    n_obs: int
    n_subpopulation: int | None
    unconditional: bool
    predictions: tuple[str, ...]
    at: tuple[tuple[tuple[str, float | None, str], ...], ...]
    legend: bool
    over: tuple[str, ...]
    nested: bool
    value_labels: Mapping[str, Mapping[float, str]]

    # --- numbers ------------------------------------------------------------------------------

    @property
    def statistic(self) -> Literal["z", "t"]:
        """What `z` is."""
        return self.uncertainty.statistic

    @property
    def vce(self) -> str:
        """``OIM``, ``Robust`` and the like."""
        return self.uncertainty.word or "OIM"

    @property
    def se(self) -> Array:
        """Standard errors, shape (m,)."""
        return np.sqrt(np.maximum(np.diag(self.v), 0.0))

    @property
    def names(self) -> list[str]:
        """A name for every margin: ``1._at#1.urban``."""
        found = []
        for row in self.rows:
            parts = [f"{place + 1}.{name}" for name, place in self.numbered(row)]
            parts += [f"{value:g}.{name}" for name, value in (*row.over, *row.cell)]
            label = "#".join(parts) or "_cons"
            if row.variable:
                head = row.variable if row.level is None else f"{row.level:g}.{row.variable}"
                label = f"{head}:{label}" if parts else head
            found.append(label)
        return found

    @property
    def r(self) -> dict[str, Any]:
        """`r()` of margins: N, b, V, table, Jacobian, at, level, title, expression, derivatives."""
        import pandas as pd

        found: dict[str, Any] = {
            "N": self.n_obs,
            "level": self.level,
            "title": self.title,
            "expression": "; ".join(self.predictions),
            "b": pd.DataFrame([self.b], index=["r1"], columns=self.names),
            "V": pd.DataFrame(self.v, index=self.names, columns=self.names),
            "Jacobian": pd.DataFrame(self.jacobian, index=self.names, columns=list(self.parameters)),
            "table": self.table.T,
            "vce": "unconditional" if self.unconditional else "delta",
        }
        if self.n_subpopulation is not None:
            found["N_sub"] = self.n_subpopulation
        if self.derivative:
            found["derivatives"] = _HEADS[self.derivative]
        if self.at:
            rows = [{name: np.nan if v is None else v for name, v, _ in point} for point in self.at]
            found["at"] = pd.DataFrame(rows, index=[f"r{k}" for k in range(1, len(rows) + 1)])
        return found

    @property
    def table(self) -> Any:
        """A DataFrame with b, se, z or t, pvalue, ll and ul by margin."""
        import pandas as pd

        columns = {"b": self.b, "se": self.se, self.statistic: self.z, "pvalue": self.p}
        columns |= {"ll": self.lower, "ul": self.upper}
        return pd.DataFrame(columns, index=self.names)

    # --- words --------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """``Predictive margins`` and its kin."""
        if self.derivative:
            return "Conditional marginal effects" if self.all_fixed else "Average marginal effects"
        return "Adjusted predictions" if self.all_fixed else "Predictive margins"

    def numbered(self, row: MarginRow) -> Iterator[tuple[str, int]]:
        """The numbers of the prediction and of the point, where there are several."""
        if len(self.predictions) > 1:
            yield "_predict", row.prediction
        if len(self.at) > 1:
            yield "_at", row.at

    def _lines(self) -> list[str]:
        lines = []
        if len(self.predictions) == 1:
            lines.append(f"Expression: {self.predictions[0]}")
        if self.derivative:
            names = dict.fromkeys(
                row.variable if row.level is None else f"{row.level:g}.{row.variable}" for row in self.rows
            )
            lines += _folded(f"{_HEADS[self.derivative]} wrt:  ", list(names))
        if self.over:
            lines.append(f"{'Within' if self.nested else 'Over'}:".ljust(12) + " ".join(self.over))
        if len(self.predictions) > 1:
            wide = len(str(len(self.predictions)))
            lines.append("")
            lines += [f"{k:>{wide}}._predict: {words}" for k, words in enumerate(self.predictions, 1)]
        if self.legend and self.at:
            lines += ["", *self._at_legend()]
        return lines

    def _at_legend(self) -> list[str]:
        names = [name for point in self.at for name, _, _ in point]
        if not names:
            return []
        wide = max(map(len, names))
        shown = {v: g(v) for point in self.at for _, v, _ in point if v is not None}
        size = max((len(text) for text in shown.values()), default=1)
        number = len(str(len(self.at)))
        lines = []
        for k, point in enumerate(self.at, 1):
            lead = "At: " if len(self.at) == 1 else f"{k:>{number}}._at: "
            if not point:
                lines.append(f"{lead}(asobserved)")
            for name, value, note in point:
                text = f"{'.' if value is None else shown[value]:>{size}}"
                words = f" ({note})" if note else ""
                lines.append(f"{lead}{name:<{wide}} = {text if value is not None else ''}{words}".rstrip())
                lead = " " * len(lead)
        return lines

    def heading(self) -> tuple[str, ...]:
        """Title, number of observations, expression, and the points of `at()`."""
        right = f"Number of obs = {count(self.n_obs)}"
        first = f"{self.title}{right:>{LINE_WIDTH - len(self.title)}}"
        lines = [first]
        if self.n_subpopulation is not None:
            lines.append(f"{f'Subpop. no. obs = {count(self.n_subpopulation)}':>{LINE_WIDTH}}")
        return (*lines, f"Model VCE: {self.vce}", "", *self._lines(), "")

    def report(self) -> Report:
        """The table with its title above."""
        above = [f"Number of obs = {count(self.n_obs)}"]
        if self.n_subpopulation is not None:
            above.append(f"Subpop. no. obs = {count(self.n_subpopulation)}")
        above.append(f"Model VCE: {self.vce}")
        lines = tuple(" ".join(line.split()) for line in self._lines() if line)
        notes: tuple[str, ...] = ()
        if any(row.level is not None for row in self.rows):
            head = _HEADS[self.derivative]
            notes = (f"Note: {head} for factor levels is the discrete change from the base level.",)
        table = CoefficientTable(
            "",
            _HEADS[self.derivative],
            "Unconditional\nstd. err." if self.unconditional else "Delta-method\nstd. err.",
            self.statistic,
            self.level,
            tuple(self._blocks()),
        )
        return Report(title=self.title, notes_before=(*above, *lines), table=table, notes=notes)

    def _blocks(self) -> Iterator[Block]:
        columns = (self.b, self.se, self.z, self.p, self.lower, self.upper)
        indexed = list(enumerate(self.rows))
        if not self.derivative:
            yield Block(tuple(self._rows(indexed, columns)))
            return
        if not any(row.cell or row.over or any(self.numbered(row)) for row in self.rows):
            yield Block(tuple(self._derivatives(columns)))
            return
        for (variable, level), members in groupby(
            indexed, key=lambda pair: (pair[1].variable, pair[1].level)
        ):
            word = None if level is None else self.word(variable, level)
            title = variable if word is None else f"{variable}: {word}"
            yield Block(tuple(self._rows(list(members), columns)), title=title)

    def _derivatives(self, columns: tuple[Array, ...]) -> Iterator[Row]:
        """A row for a continuous variable, a block of levels for a factor variable."""
        last = ""
        for k, row in enumerate(self.rows):
            if row.level is None:
                yield estimate_row(row.variable, columns, k)
                continue
            word = self.word(row.variable, row.level)
            alone = sum(other.variable == row.variable for other in self.rows) == 1
            if alone and word == f"{row.level:g}":
                yield estimate_row(f"{row.level:g}.{row.variable}", columns, k)
                continue
            if row.variable != last:
                yield Row("heading", row.variable)
            last = row.variable
            yield estimate_row(word, columns, k, indented=True)

    def _rows(self, members: list[tuple[int, MarginRow]], columns: tuple[Array, ...]) -> Iterator[Row]:
        last = ""
        for k, row in members:
            heads = [name for name, _ in self.numbered(row)]
            heads += [name for name, _ in (*row.over, *row.cell)]
            head = "#".join(heads)
            if not head:
                yield estimate_row("_cons", columns, k)
                continue
            if head != last:
                yield Row("heading", head)
            last = head
            words = [f"{place + 1}" for _, place in self.numbered(row)]
            named = [self.word(name, value) for name, value in (*row.over, *row.cell)]
            plain = all(word == f"{v:g}" for word, (_, v) in zip(named, (*row.over, *row.cell), strict=True))
            yield estimate_row((" " if plain else "#").join([*words, *named]), columns, k, indented=True)

    def word(self, name: str, value: float) -> str:
        """The label of a level, or its number."""
        return self.value_labels.get(name, {}).get(value) or f"{value:g}"


def _folded(lead: str, names: list[str]) -> list[str]:
    lines = [lead]
    for name in names:
        if len(lines[-1]) + len(name) > LINE_WIDTH:
            lines.append(" " * len(lead))
        lines[-1] += f"{name} "
    return [line.rstrip() for line in lines]
