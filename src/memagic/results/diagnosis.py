"""What is wrong with a fit, in words: which parameter, and what to try.

Source: manual [ME] meglm, 'Obtaining better starting values', for the remedies.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from memagic.results.estimates import Estimates, Parameter
from memagic.results.flat import Direction, flat_directions
from memagic.results.remedies import equation_without, joined, other_integration, shown, start_grid
from memagic.results.scales import far_from_zero, scale_note

Array = NDArray[np.float64]

__all__ = ["diagnose", "diagnose_from_afar"]

_MOST_NOTES = 3
_INDENT = "\n      "
# A fit stopped this early tells nothing but that.
_FEW_ITERATIONS = 10
# A coefficient whose variable moves the linear predictor by more than the first, known no better
# than the second: at the stopping rules a separated logit has a standard error of some 300.
_HUGE_EFFECT = 4.0
_HUGE_ERROR = 30.0
# On the scale of the linear predictor: a variance of ten standard deviations squared.
_HUGE_VARIANCE = 100.0
_UNKNOWN = 0.3
_NO_OVERDISPERSION = -8.0
# Share of a conditional variance in the variance, below which a correlation may come from the
# variable's origin alone.
_NEARLY_PERFECT = 1e-4


def diagnose(estimates: Estimates) -> tuple[str, ...]:
    """Notes on what is wrong with a fit, at most three, the most important first.

    A note is a line or two, the second with what to try. A healthy fit has none.
    """
    if estimates.facts is not None:
        return estimates.facts.warnings
    fit = estimates.fit
    if fit.interrupted:
        return (_interrupted(fit.iterations),)
    limit = estimates.settings.stopping.iterate
    if not fit.converged and fit.iterations >= limit and limit < _FEW_ITERATIONS:
        return (_stopped(limit),)
    directions = flat_directions(estimates)
    grave = [
        *_flat(estimates, directions),
        *_upward(estimates, directions),
        *_separated(estimates),
        *_exploded(estimates),
    ]
    mild = [*_at_zero(estimates), *_perfect(estimates)]
    hard = bool(grave or _exploding(estimates)) or not fit.converged
    scale = scale_note(estimates, covariates=hard) if hard or mild or _nearly_perfect(estimates) else ""
    causes = [*grave, *([scale] if scale else []), *mild]
    notes = [] if fit.converged else [_not_converged(estimates, explained=bool(causes))]
    return tuple([*notes, *causes][:_MOST_NOTES])


def diagnose_from_afar(estimates: Estimates) -> tuple[str, ...]:
    """What can be said without the data, which are elsewhere."""
    fit = estimates.fit
    if fit.interrupted:
        return (_interrupted(fit.iterations),)
    zero, limit = _at_zero(estimates), estimates.settings.stopping.iterate
    if fit.converged:
        return tuple(zero)
    stopped = _stopped(limit) if fit.iterations >= limit else _not_converged(estimates, explained=True)
    return (stopped, *zero)


def _interrupted(iteration: int) -> str:
    words = "These are no estimates: the fit was interrupted after iteration"
    return f"Warning: convergence not achieved{_INDENT}{words} {iteration}."


def _stopped(limit: int) -> str:
    more = max(1000, min(10 * limit, 16000))
    return f"Warning: convergence not achieved{_INDENT}It stopped at iterate({limit}). Try iterate({more})."


def _not_converged(estimates: Estimates, explained: bool) -> str:
    """The manual's words; what to try follows where no other note says it."""
    fit, limit = estimates.fit, estimates.settings.stopping.iterate
    words = "Warning: convergence not achieved"
    if explained:
        return words
    if fit.iterations >= limit:
        return _stopped(limit)
    ways = [start_grid(estimates.parameters), *other_integration(estimates)]
    ways = [way for way in ways if way]
    return f"{words}{_INDENT}Try {joined(ways, 'or')}." if ways else words


def _flat(estimates: Estimates, directions: tuple[Direction, ...]) -> list[str]:
    """Parameters that the data do not determine: one note for the first such direction."""
    same = _same_groups(estimates)
    if same:
        return same
    for direction in directions:
        parts = direction.parameters
        if direction.upward or any(p.at_zero or p.perfect for p in parts) or _runs_away(estimates, parts):
            continue
        names = joined([shown(estimates, p) for p in parts])
        if len(parts) == 1:
            words = f"Note: the data do not determine {names}: the log likelihood is flat along it."
        else:
            words = f"Note: the data do not tell {names} apart: the log likelihood is flat."
        return [words + _advice_on_flat(estimates, parts)]
    return []


def _same_groups(estimates: Estimates) -> list[str]:
    """Intercepts of two levels whose groups are the same ones.

    Seen from the groups: quadrature bends a log likelihood that is flat in truth.
    """
    for upper, lower in pairwise(estimates.design.levels):
        paths = (upper.grouping.path, lower.grouping.path)
        if len(upper.grouping.sizes) != len(lower.grouping.sizes):
            continue
        parts = [p for p in estimates.parameters if p.label == "var(_cons)" and p.group in paths]
        if len(parts) == 2 and not any(p.at_zero for p in parts):
            names = joined([shown(estimates, p) for p in parts])
            return [
                f"Note: the data do not tell {names} apart: each {upper.grouping.name} has one "
                f"{lower.grouping.name}.{_INDENT}Try leaving out || {lower.grouping.name}:"
            ]
    return []


def _runs_away(estimates: Estimates, parts: tuple[Parameter, ...]) -> bool:
    """Whether the parameters are flat because they have gone too far, which another note tells."""
    return {p.name for p in parts} <= {p.name for p in (*_separating(estimates), *_exploding(estimates))}


def _advice_on_flat(estimates: Estimates, parts: tuple[Parameter, ...]) -> str:
    names = {p.name for p in parts}
    for level in reversed(estimates.design.levels):
        alone = bool(level.grouping.sizes.max() == 1) and estimates.kind.family == "gaussian"
        inside = [p for p in parts if p.role == "variance" and p.group == level.grouping.path]
        if alone and inside:
            name = level.grouping.name
            return f"{_INDENT}Each {name} has one observation. Try leaving out || {name}:"
    variances = [p for p in parts if p.role in ("variance", "covariance")]
    if variances:
        without = equation_without(estimates, variances[-1:])
        ways = [way for way in (without, start_grid(variances)) if way]
        return f"{_INDENT}Try {joined(ways, 'or')}."
    others = [p.name for p in parts if p.role == "coefficient" and p.name != "_cons"]
    return f"{_INDENT}Leave out {joined(others, 'or')}." if others and len(names) > 1 else ""


def _upward(estimates: Estimates, directions: tuple[Direction, ...]) -> list[str]:
    if estimates.fit.concave and not any(direction.upward for direction in directions):
        return []
    parts = next((direction.parameters for direction in directions if direction.upward), ())
    words = "Warning: the log likelihood is not concave at the estimates"
    if parts:
        words += f", along {joined([shown(estimates, p) for p in parts])}"
    elif any(not d.upward for d in directions):
        # Flat rather than bent: told by name already.
        return []
    grid = start_grid(parts) or start_grid(estimates.parameters)
    ways = [way for way in (grid, *other_integration(estimates)) if way]
    return [words + (f"{_INDENT}Try {joined(ways, 'or')}." if ways else "")]


def _separated(estimates: Estimates) -> list[str]:
    parts = _separating(estimates)
    if not parts:
        return []
    constant = [p for p in parts if p.name == "_cons"]
    named = [p for p in parts if p.name != "_cons"] or constant
    names = joined([p.name for p in named])
    if named is constant:
        return ["Note: the outcome is nearly the same everywhere: _cons has no finite estimate."]
    own = "its coefficient has" if len(named) == 1 else "their coefficients have"
    verb = "predicts" if len(named) == 1 else "predict"
    words = f"Note: {names} {verb} the outcome perfectly: {own} no finite estimate."
    if "asis" in estimates.command.fixed.options:
        return [f"{words}{_INDENT}Try without asis, or leave out {joined([p.name for p in named], 'and')}."]
    return [f"{words}{_INDENT}Leave out {names}, or join its categories with others."]


def _separating(estimates: Estimates) -> tuple[Parameter, ...]:
    """Coefficients that grow without end: large on the linear predictor's scale, nearly unknown."""
    if estimates.problem.family.closed_form or estimates.kind.family == "gamma":
        return ()
    x, b, se = estimates.design.x, estimates.b, estimates.se
    coefficients = [(k, p) for k, p in enumerate(estimates.parameters) if p.role == "coefficient"]
    found = []
    for (k, parameter), values in zip(coefficients, x.T, strict=True):
        spread = float(np.ptp(values)) or float(np.abs(values).max())
        if _HUGE_EFFECT < abs(b[k]) * spread < se[k] * spread and se[k] * spread > _HUGE_ERROR:
            found.append(parameter)
    return tuple(found)


def _exploded(estimates: Estimates) -> list[str]:
    parts = _exploding(estimates)
    notes = []
    # The intercept of a variable far from zero is far out too, and its variance is large for that.
    by_origin = far_from_zero(estimates) is not None
    variances = [p for p in parts if p.role == "variance" and not (by_origin and p.label == "var(_cons)")]
    if variances:
        names = joined([shown(estimates, p) for p in variances])
        verb = "grows" if len(variances) == 1 else "grow"
        ways = [start_grid(variances), *other_integration(estimates)]
        words = f"Note: {names} {verb} without a clear limit: outcomes hardly vary within groups."
        notes.append(f"{words}{_INDENT}Try {joined(ways, 'or')}.")
    if any(p.role == "ancillary" for p in parts):
        notes.append(
            "Note: the data show no overdispersion: its logarithm has no finite estimate."
            f"{_INDENT}Try {'mepoisson' if estimates.command.name == 'menbreg' else 'family(poisson)'}."
        )
    return notes


def _exploding(estimates: Estimates) -> tuple[Parameter, ...]:
    """Variances and dispersions that leave any sensible range, and are hardly known."""
    problem, b, se = estimates.problem, estimates.b, estimates.se
    if problem.family.closed_form:
        return ()
    found = []
    sizes = _sizes(estimates)
    # The intercept of a variable far from zero is far out too, and its variance is large for that.
    by_origin = _nearly_perfect(estimates)
    for k, parameter in enumerate(estimates.parameters):
        if parameter.role == "variance":
            huge = b[k] * sizes[parameter.name] > _HUGE_VARIANCE and se[k] > _UNKNOWN * b[k]
            if huge and not (by_origin and parameter.label == "var(_cons)"):
                found.append(parameter)
        elif parameter.name in ("/lnalpha", "/lndelta") and b[k] < _NO_OVERDISPERSION and se[k] > -b[k]:
            found.append(parameter)
    return tuple(found)


def _sizes(estimates: Estimates) -> dict[str, float]:
    """The variance of the variable of each variance component; one for an intercept."""
    problem = estimates.problem
    if problem.structure is None:
        return {}
    spread = np.concatenate([np.var(level.z, axis=0) for level in problem.levels])
    spread = np.where(spread > 0.0, spread, 1.0)
    names = {int(at): p.name for at, p in zip(estimates.positions, estimates.parameters, strict=True)}
    return {
        names[problem.p + k]: float(spread[r]) for k, (r, c) in enumerate(problem.structure.entries) if r == c
    }


def _at_zero(estimates: Estimates) -> list[str]:
    zero = [p for p in estimates.parameters if p.role == "variance" and p.at_zero]
    if not zero:
        return []
    words = f"Note: {', '.join(p.label for p in zero)} estimated at zero, the boundary of its range."
    ways = [way for way in (equation_without(estimates, zero), start_grid(zero)) if way]
    return [f"{words}{_INDENT}Try {joined(ways, 'or')}."]


def _perfect(estimates: Estimates) -> list[str]:
    perfect = [p for p in estimates.parameters if p.perfect]
    if not perfect:
        return []
    names = ", ".join(p.label for p in perfect)
    words = f"Note: {names} estimated at the boundary of its range: the correlation is perfect."
    least = min(level.n_clusters for level in estimates.problem.levels)
    few = f"There are only {least} groups. " if least < 10 else ""
    return [f"{words}{_INDENT}{few}Try covariance(independent) or {start_grid(perfect)}."]


def _nearly_perfect(estimates: Estimates) -> bool:
    """Whether two effects are so correlated that the origin of a variable may be the reason."""
    structure = estimates.problem.structure
    if structure is None:
        return False
    sigma = structure.sigma(estimates.problem.unpack(estimates.fit.theta).omega)
    variances = np.diag(sigma)
    pairs = ((r, c) for r, c in structure.entries if r != c and variances[r] > 0.0 and variances[c] > 0.0)
    return any(1.0 - sigma[r, c] ** 2 / (variances[r] * variances[c]) < _NEARLY_PERFECT for r, c in pairs)
