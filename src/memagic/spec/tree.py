"""The syntax tree of a command: what was typed, with the place of every part.

Nothing here knows data. A `span` is the pair (first, past-the-last) of character positions in the
command's text, for error messages; spans take no part in comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Binary",
    "Call",
    "Command",
    "Covariance",
    "Estimated",
    "Expression",
    "Factor",
    "FixedEquation",
    "GridSearch",
    "GridTarget",
    "Indexed",
    "InitialValue",
    "InitialValues",
    "Name",
    "Number",
    "Option",
    "RandomEquation",
    "RowRange",
    "Span",
    "StartMethod",
    "String",
    "Technique",
    "Term",
    "TimeOperator",
    "TimeSettings",
    "Unary",
    "VarianceEstimator",
    "Weight",
]

Span = tuple[int, int]


# --- expressions: `if age > 30 & !missing(x)` ------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """A literal; missing values `.`, `.a` ... `.z` have `missing` set and value nan."""

    value: float
    missing: str | None = None
    span: Span = field(default=(0, 0), compare=False)

    # The generated comparison would find that nan differs from itself.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> float | str:
        return self.value if self.missing is None else self.missing


@dataclass(frozen=True, slots=True)
class String:
    """A literal in double quotes, without them."""

    value: str
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or `_n` and `_N`."""

    name: str
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A variable at another row: `x[_n-1]`."""

    name: str
    index: Expression
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign, or `!`, before an expression."""

    operator: Literal["-", "+", "!"]
    operand: Expression
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`~=` is read as `!=`."""

    operator: Literal["^", "/", "*", "-", "+", "!=", ">", "<", "<=", ">=", "==", "&", "|"]
    left: Expression
    right: Expression
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`; the function by its full name."""

    function: str
    arguments: tuple[Expression, ...]
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Estimated:
    """A value of the last estimates: `_b[1.urban]`, `_se[x]`, `e(N)`, `e(sample)`, `predict(mu)`, `xb()`.

    `value` is what it is once the estimates are known: a number, or one for every row.
    """

    kind: Literal["_b", "_se", "e", "predict", "xb"]
    name: str
    value: float | Sequence[float] | None = field(default=None, compare=False)
    span: Span = field(default=(0, 0), compare=False)


Expression = Number | String | Name | Indexed | Unary | Binary | Call | Estimated


# --- variable lists --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimeOperator:
    """A time-series operator in its canonical form: ``LD2.x`` and ``dld.x`` are both L.D2.

    `lag` is negative for leads; `difference` tells how often differences are taken; `seasonal` has
    the spans of seasonal differences in order.
    """

    lag: int = 0
    difference: int = 0
    seasonal: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lag or self.difference or self.seasonal)

    def __str__(self) -> str:
        """``L2D3S12``, with nothing for one period: ``LD``."""
        parts = [("L" if self.lag > 0 else "F", abs(self.lag)), ("D", self.difference)]
        text = "".join(f"{letter}{count if count > 1 else ''}" for letter, count in parts if count)
        return text + "".join(f"S{span}" for span in self.seasonal)


@dataclass(frozen=True, slots=True)
class TimeSettings:
    """What `tsset` sets: the variables of time and of the panel, and the time between observations.

    `panel` is empty for one series, `time` where `xtset` has named the panel alone.
    """

    time: str
    panel: str = ""
    delta: float = 1.0


@dataclass(frozen=True, slots=True)
class Factor:
    """One operand of a term: a variable with its factor-variable operator.

    `name` is as typed, so that it may be an abbreviation, a pattern such as `x*`, a range such as
    `a-d`, or `_all`, until the data are known.
    `kind` is "c" (continuous) or "i" (indicators). A bare name outside `#` is "c", inside "i".
    `base` tells which level is left out: None is the default (the first), "none" is `ibn.`, a
    number is `ib#.`, ("order", k) is `ib(#k).`, and "first", "last", "freq" are themselves.
    `levels` are the selected ones (`2.g`, `i(2/4).g`), `omitted` the ones left out by `o#.`; of a
    continuous variable `omitted` is empty where `o.` leaves it out.
    """

    name: str
    kind: Literal["c", "i"]
    base: float | str | tuple[str, int] | None = None
    levels: tuple[float, ...] | None = None
    omitted: tuple[float, ...] | None = None
    time: TimeOperator = TimeOperator()
    span: Span = field(default=(0, 0), compare=False)

    @property
    def variable(self) -> str:
        """The name with its time-series operator, which is how columns and the data know it: ``L2.x``."""
        return f"{self.time}.{self.name}" if self.time else self.name


@dataclass(frozen=True, slots=True)
class Term:
    """A product of operands (`a#c.x`); one operand is a main effect. `##` is expanded already."""

    operands: tuple[Factor, ...]
    span: Span = field(default=(0, 0), compare=False)


# --- the command -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Option:
    """An option as given: its full name and its value, read by the kind the option table names.

    `value` is True for a flag, a `Covariance` for `covariance()`, a `VarianceEstimator` for `vce()`,
    tuples of `Technique` and of `GridSearch`, a `StartMethod` and `InitialValues` for the options of
    the maximization; float, int, str, a tuple of words or a tuple of numbers otherwise. `argument` is
    the text between the parentheses.
    """

    name: str
    value: object
    argument: str | None = field(default=None, compare=False)
    span: Span = field(default=(0, 0), compare=False)
    argument_span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Technique:
    """One of the algorithms of `technique()`, and how many iterations it has before the next's turn."""

    name: Literal["nr", "bhhh", "dfp", "bfgs"]
    iterations: int = 5


@dataclass(frozen=True, slots=True)
class StartMethod:
    """`startvalues()`: the method, and the most iterations of its fixed-effects model."""

    name: Literal["zero", "constantonly", "fixedonly", "iv"] = "fixedonly"
    iterations: int | None = None


@dataclass(frozen=True, slots=True)
class GridTarget:
    """What a grid search varies: `_cons[id]`, `_cons[id]*x[id]`, or `e.y`.

    `effects` has one (effect, level) for a variance and two for a covariance; a residual variance
    has none, and its response in `residual`.
    """

    effects: tuple[tuple[str, str], ...] = ()
    residual: str = ""
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class GridSearch:
    """One `startgrid()`; without values the default ones, without targets all variances."""

    values: tuple[float, ...] = ()
    targets: tuple[GridTarget, ...] = ()
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class InitialValue:
    """`name = #` in `from()`; the name is an address as `_b[]` has it, perhaps with an equation."""

    name: str
    value: float
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class InitialValues:
    """`from()`: a list of values by name, or the name of a matrix."""

    values: tuple[InitialValue, ...] = ()
    matrix: str = ""
    skip: bool = False
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Weight:
    """`[pweight=expression]`, the kind in full."""

    kind: Literal["fweight", "iweight", "pweight"]
    expression: Expression
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class RowRange:
    """`in first/last`, 1-based and inclusive as typed; negatives count from the end."""

    first: int
    last: int
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class FixedEquation:
    """What stands before the first `||`: terms after the response, if, in, the weight, options."""

    terms: tuple[Term, ...]
    condition: Expression | None = None
    rows: RowRange | None = None
    weight: Weight | None = None
    options: dict[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Covariance:
    """`covariance()`; `matrix` is the name in `fixed()` and `pattern()`."""

    kind: Literal["independent", "identity", "exchangeable", "unstructured", "fixed", "pattern"]
    matrix: str | None = None


@dataclass(frozen=True, slots=True)
class VarianceEstimator:
    """`vce()`; `cluster` is the variable of `vce(cluster clustvar)`."""

    kind: Literal["oim", "opg", "robust", "cluster"]
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class RandomEquation:
    """`level: terms, options`; `factor` is the variable of `R.varname`; `level` may be "_all"."""

    level: str
    terms: tuple[Term, ...]
    factor: str | None = None
    options: dict[str, Option] = field(default_factory=dict)
    span: Span = field(default=(0, 0), compare=False)
    level_span: Span = field(default=(0, 0), compare=False)
    factor_span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Command:
    """One estimation command. `name` is the full command name, `text` what was typed.

    `time` is what the time-series operators refer to, where the data have such settings.
    """

    name: str
    depvar: Factor
    fixed: FixedEquation
    random: tuple[RandomEquation, ...]
    options: dict[str, Option]
    text: str = field(default="", compare=False)
    time: TimeSettings | None = None
