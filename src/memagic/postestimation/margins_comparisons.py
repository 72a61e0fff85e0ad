"""Margins compared with each other: contrasts and pairwise comparisons.

Source: [R] margins, contrast; [R] margins, pwcompare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.postestimation.comparisons import Compared, comparisons, differences, joint_test
from memagic.postestimation.contrast_result import ContrastResult, JointTest
from memagic.postestimation.margins_result import MarginRow, Margins
from memagic.results.posted import Posted
from memagic.spec.margins_compare import Comparison

Array = NDArray[np.float64]
Place = tuple[object, ...]
_AT = "_at"

__all__ = ["compared_margins", "posted_comparison"]


def compared_margins(
    found: Margins, comparison: Comparison, bases: Sequence[tuple[str, float]]
) -> ContrastResult:
    """Contrasts or pairwise comparisons of margins.

    Parameters
    ----------
    found : Margins
    comparison : Comparison
    bases : sequence of (str, float)
        The base levels of the factor variables.

    Raises
    ------
    CommandError
        Nothing to compare, r(198); a base that is no level, r(198).
    """
    if comparison.kind == "pwcompare":
        sets = _pairs(found)
        tests: tuple[JointTest, ...] = ()
        title = "Pairwise comparisons of"
    else:
        sets, tests = _contrasts(found, comparison, dict(bases))
        title = "Contrasts of"
    if not sets:
        hint = "name a factor variable, or points of at() with atcontrast(r)"
        raise CommandError(198, "there are no margins to compare", span=comparison.span, hint=hint)
    if comparison.kind == "contrast" and not comparison.effects:
        sets = []
    compared, counts, v = comparisons(
        found.b, found.v, found.uncertainty, sets, comparison.adjustment, found.level
    )
    lines = [line for line in found.heading() if line]
    return ContrastResult(
        title=f"{title} {found.title[0].lower()}{found.title[1:]}",
        tests=tests if comparison.wald else (),
        comparisons=compared,
        counts=counts if comparison.effects or comparison.kind == "pwcompare" else (),
        adjustment=comparison.adjustment,
        columns=comparison.columns,
        level=found.level,
        statistic=found.statistic,
        depvar="",
        v=v,
        lead=("Number" + lines[0].split("Number")[1], *lines[1:]),
        head="Contrast dy/dx" if found.derivative else "Contrast",
        head_of_se="Unconditional\nstd. err." if found.unconditional else "Delta-method\nstd. err.",
    )


def posted_comparison(
    found: Margins, comparison: Comparison, bases: Sequence[tuple[str, float]], shown: ContrastResult
) -> Posted:
    """What option post makes the estimates: the contrasts, or the margins whose pairs are compared.

    Parameters
    ----------
    found : Margins
    comparison : Comparison
    bases : sequence of (str, float)
        The base levels of the factor variables.
    shown : ContrastResult
        What `compared_margins` has made of them.
    """
    if comparison.kind == "pwcompare":
        return Posted("margins", tuple(found.names), found.b, found.v, found.uncertainty, found.n_obs, shown)
    sets, _ = _contrasts(found, comparison, dict(bases))
    rows = np.concatenate([one.rows[one.estimable] for one in sets])
    names = [n for one in sets for n, known in zip(one.names, one.estimable, strict=True) if known]
    v = rows @ found.v @ rows.T
    # A margin without a value is in none of these contrasts.
    b = rows @ np.nan_to_num(found.b)
    return Posted("margins", tuple(names), b, v, found.uncertainty, found.n_obs, shown)


# --- pairs --------------------------------------------------------------------------------------


def _pairs(found: Margins) -> list[Compared]:
    """All differences of the margins of each term."""
    sets = []
    for _, members in _grouped(found, lambda row: (row.variable, row.level, _names(row))):
        pairs = [(high, low) for low, high in combinations(members, 2)]
        if not pairs:
            continue
        row = found.rows[members[0]]
        rows = np.zeros((len(pairs), len(found.b)))
        for k, (high, low) in enumerate(pairs):
            rows[k, high], rows[k, low] = 1.0, -1.0
        labels = tuple(f"{_word(found, high)} vs {_word(found, low)}" for high, low in pairs)
        heads = [*(head for head, _ in found.numbered(row)), *_names(row)]
        sets.append(Compared(_titled(row, "#".join(heads)), labels, rows, _known(found, rows)))
    return sets


def _word(found: Margins, k: int) -> str:
    """What tells a margin from the others, in words."""
    row = found.rows[k]
    words = [str(place + 1) for _, place in found.numbered(row)]
    words += [found.word(name, value) for name, value in (*row.over, *row.cell)]
    return words[0] if len(words) == 1 else f"({' '.join(words)})"


# --- contrasts ----------------------------------------------------------------------------------


def _contrasts(
    found: Margins, comparison: Comparison, bases: dict[str, float]
) -> tuple[list[Compared], tuple[JointTest, ...]]:
    """Contrasts of the levels of each term at every place that is not contrasted, and their tests."""
    across_at = bool(comparison.at_operator) and len(found.at) > 1
    if comparison.at_operator and not across_at:
        hint = "type at(x=(1 2)) or the like"
        raise CommandError(198, "atcontrast() needs several points of at()", span=comparison.span, hint=hint)
    sets: list[Compared] = []
    tests: list[JointTest] = []
    terms = _grouped(found, lambda row: (row.variable, row.level, _cell_names(row)))
    for _, members in terms:
        first = found.rows[members[0]]
        if not (first.cell or across_at):
            continue
        name, labels, codes, matrix = _matrix(found, members, comparison, bases, across_at)
        places = _grouped(found, lambda row: _elsewhere(row, across_at), members)
        rows = np.zeros((len(places) * len(labels), len(found.b)))
        words: list[str] = []
        names: list[str] = []
        here: list[JointTest] = []
        heads = [head for head, _ in found.numbered(first) if not (across_at and head == _AT)]
        heads += [head for head, _ in first.over]
        term = _titled(first, f"{name}@{'#'.join(heads)}" if heads else name)
        for p, (_, inside) in enumerate(places):
            block = slice(p * len(labels), (p + 1) * len(labels))
            if len(inside) != matrix.shape[1]:
                message = "margins of some combinations of levels are missing"
                raise CommandError(498, message, hint="within() leaves these out; try pwcompare")
            rows[block, inside] = matrix
            place = _place_words(found, inside[0], across_at)
            words += [f"{label} {place}".rstrip() for label in labels]
            names += [_name(found, inside[0], code, across_at) for code in codes]
            usable = rows[block][_known(found, rows[block])]
            lead = f"{term} {place}".rstrip()
            here.append(joint_test(found.b, found.v, found.uncertainty, lead, usable))
        if len(places) > 1:
            usable = rows[_known(found, rows)]
            here.append(joint_test(found.b, found.v, found.uncertainty, f"{term} Joint", usable))
        tests += here
        sets.append(Compared(term, tuple(words), rows, _known(found, rows), tuple(names)))
    return sets, tuple(tests)


def _matrix(
    found: Margins,
    members: list[int],
    comparison: Comparison,
    bases: dict[str, float],
    across_at: bool,
) -> tuple[str, list[str], list[str], Array]:
    """Name, labels, names and contrast matrix of a term, in the order of its margins at one place."""
    parts: list[tuple[Array, tuple[str, ...]]] = []
    codes: list[list[str]] = []
    names: list[str] = []
    if across_at:
        points = np.arange(1.0, len(found.at) + 1.0)
        words = [f"{point:g}" for point in points]
        parts.append(differences(_AT, points, words, comparison.at_operator, 1.0))
        codes.append(_codes(_AT, words, parts[-1][0], comparison.at_operator))
        names.append(_AT)
    for k, (name, _) in enumerate(found.rows[members[0]].cell):
        levels = np.array(list(dict.fromkeys(found.rows[m].cell[k][1] for m in members)))
        kind, base = comparison.operators.get(name, ("", None))
        start = bases.get(name, float(levels[0])) if base is None else base
        if base is None and start not in levels:
            start = float(levels[0])
        words = [found.word(name, float(level)) for level in levels]
        parts.append(differences(name, levels, words, kind, start, comparison.span))
        codes.append(_codes(name, [f"{level:g}" for level in levels], parts[-1][0], kind))
        names.append(name)
    matrix = reduce(lambda a, b: np.asarray(np.kron(a, b), dtype=float), [one for one, _ in parts])
    labels = [""]
    for _, some in parts:
        labels = [f"{left} ({label})".strip() for left in labels for label in some]
    return "#".join(names), labels, ["#".join(some) for some in product(*codes)], matrix


def _codes(name: str, levels: Sequence[str], matrix: Array, kind: str) -> list[str]:
    """Contrasts of a variable as names of estimates: ``r1vs0.g``, ``ar2vs1.g``, ``g1vsmean.g``."""
    found = []
    for row in matrix:
        less = "mean" if kind == "g" else levels[int(np.argmin(row))]
        found.append(f"{kind or 'r'}{levels[int(np.argmax(row))]}vs{less}.{name}")
    return found


# --- rows ---------------------------------------------------------------------------------------


def _grouped(
    found: Margins, key: Callable[[MarginRow], Place], among: Sequence[int] | None = None
) -> list[tuple[Place, list[int]]]:
    """Positions of margins by what a function says of their rows, in the order in which they come."""
    groups: dict[Place, list[int]] = {}
    for k in range(len(found.rows)) if among is None else among:
        groups.setdefault(key(found.rows[k]), []).append(k)
    return list(groups.items())


def _cell_names(row: MarginRow) -> tuple[str, ...]:
    return tuple(name for name, _ in row.cell)


def _names(row: MarginRow) -> tuple[str, ...]:
    return tuple(name for name, _ in (*row.over, *row.cell))


def _elsewhere(row: MarginRow, across_at: bool) -> Place:
    """Where a margin stands apart from its cell, and from its point where points are contrasted."""
    return (row.prediction, -1 if across_at else row.at, row.over)


def _place_words(found: Margins, k: int, across_at: bool) -> str:
    row = found.rows[k]
    words = [str(place + 1) for head, place in found.numbered(row) if not (across_at and head == _AT)]
    return " ".join([*words, *(found.word(name, value) for name, value in row.over)])


def _name(found: Margins, k: int, code: str, across_at: bool) -> str:
    """The name of a contrast as an estimate: ``r1vs0.urban@2._at``, after the equation of a derivative."""
    row = found.rows[k]
    places = [f"{place + 1}.{head}" for head, place in found.numbered(row) if not (across_at and head == _AT)]
    places += [f"{value:g}.{name}" for name, value in row.over]
    name = f"{code}@{'#'.join(places)}" if places else code
    lead = _equation(row)
    return f"{lead}:{name}" if lead else name


def _equation(row: MarginRow) -> str:
    """The variable of a derivative, with its level."""
    return row.variable if row.level is None else f"{row.level:g}.{row.variable}"


def _titled(row: MarginRow, term: str) -> str:
    """The name of a term, after the variable of a derivative."""
    lead = _equation(row)
    return f"{lead}: {term}" if lead else term


def _known(found: Margins, rows: Array) -> NDArray[np.bool_]:
    """Comparisons of margins that all have a value."""
    return np.asarray(~((rows != 0.0) & ~np.isfinite(found.b)).any(axis=1))
