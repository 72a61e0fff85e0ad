"""What to try when a fit is in trouble, as text that can be pasted behind a command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memagic.engine.crossed.nested import nested_problem
from memagic.engine.quadrature import affordable
from memagic.results.estimates import Estimates, Parameter

__all__ = ["equation_without", "joined", "other_integration", "shown", "start_grid"]

_MORE_POINTS = 15


def shown(estimates: Estimates, parameter: Parameter) -> str:
    """The parameter as the table shows it, with its group where the label alone is not enough."""
    same = [p for p in estimates.parameters if p.label == parameter.label]
    return parameter.label.lstrip("/") if len(same) == 1 else parameter.name.lstrip("/")


def joined(words: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def start_grid(parameters: Iterable[Parameter]) -> str:
    """``startgrid(.1 1 10 _cons[id])`` for variances and covariances; empty without any."""
    targets = [_target(p) for p in parameters if p.role in ("variance", "covariance")]
    return f"startgrid(.1 1 10 {' '.join(targets)})" if targets else ""


def _target(parameter: Parameter) -> str:
    """``x[id]`` for a variance, ``_cons[id]*x[id]`` for a covariance."""
    inner = parameter.name.removeprefix("/var(").removeprefix("/cov(").removesuffix(")")
    if parameter.role == "covariance" and "," in inner:
        first, second = inner.split("],", maxsplit=1)
        return f"{first}]*{second}"
    # Effects that share a parameter are all in its name.
    names, path = inner.removesuffix("]").split("[", maxsplit=1)
    between = "*" if parameter.role == "covariance" else " "
    return between.join(f"{name}[{path}]" for name in names.split())


def other_integration(estimates: Estimates) -> list[str]:
    """More points and the Laplacian approximation, as far as they are something else."""
    problem, settings = estimates.problem, estimates.settings
    if problem.structure is None or problem.family.closed_form or settings.method == "laplace":
        return []
    points = _MORE_POINTS if settings.n_points < _MORE_POINTS else 2 * settings.n_points
    more = [f"intpoints({points})"] if affordable(nested_problem(problem), points) else []
    return [*more, "intmethod(laplace)"]


def equation_without(estimates: Estimates, variances: Sequence[Parameter]) -> str:
    """The command without the effects of variances of one group; empty where there is no short way.

    ``leaving out || id:``, or ``|| id: x, noconstant``, or ``leaving out x in || id:``.
    """
    groups = {p.group for p in variances if p.role == "variance"}
    if len(groups) != 1:
        return ""
    (group,) = groups
    gone = {p.label.removeprefix("var(").removesuffix(")") for p in variances if p.role == "variance"}
    for level in estimates.design.levels:
        for equation in level.equations:
            path = level.grouping.path + (f">{equation.factor}" if equation.factor else "")
            name = level.grouping.name
            if path != group:
                continue
            if equation.factor:
                return f"leaving out || {name}: R.{equation.factor}"
            effects = [column.name for column in equation.columns]
            if set(effects) == gone or {" ".join(effects)} == gone:
                return f"leaving out || {name}:"
            if gone == {"_cons"} and "_cons" in effects:
                return f"|| {name}: {' '.join(e for e in effects if e != '_cons')}, noconstant"
            if gone <= set(effects):
                return f"leaving out {joined([e for e in effects if e in gone])} in || {name}:"
    return ""
