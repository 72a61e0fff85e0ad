"""How the groups of a model are nested or crossed, with their counts."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from memagic.data.levels import DesignLevel, Grouping
from memagic.data.sample import ALL
from memagic.display.formats import count
from memagic.display.rich import Rich
from memagic.display.tree import Box, Nesting, nesting_svg, nesting_text
from memagic.results.estimates import Estimates

Index = NDArray[np.intp]

__all__ = ["Diagram", "diagram"]

# Effects that a box names.
_MOST_NAMES = 4


@dataclass(frozen=True, slots=True, repr=False)
class Diagram(Rich):
    """A drawing in a notebook, a tree of text elsewhere.

    Attributes
    ----------
    nesting : Nesting
    """

    nesting: Nesting

    def to_text(self) -> str:
        """A tree of text."""
        return nesting_text(self.nesting)

    def to_svg(self) -> str:
        """One SVG element, in the colour of the page's text."""
        return nesting_svg(self.nesting)

    def to_html(self) -> str:
        """The drawing, with what there is to say of it below."""
        note = f'<p style="font-size:.92em">{escape(self.nesting.note)}</p>' if self.nesting.note else ""
        return f"<div>{self.to_svg()}{note}</div>"


def diagram(estimates: Estimates) -> Diagram:
    """The groups of the estimation sample.

    Parameters
    ----------
    estimates : Estimates
    """
    levels = estimates.design.levels
    chain: list[Box] = []
    crossed: list[tuple[int, Box]] = []
    upper: Grouping | None = None
    note = ""
    for level in levels:
        grouping = level.grouping
        effects = [c.name for e in level.equations if not e.factor for c in e.columns]
        if grouping.name != ALL:
            chain.append(Box(grouping.name, (*_counts(grouping, upper), *_effects(effects))))
            upper = grouping
        place = len(chain) - 1
        factors = _factors(level)
        for name, codes in factors:
            crossed.append((place, _factor_box(grouping, name, codes)))
        if factors and place < 0:
            note = _combinations(levels, factors)
    for level in levels:
        if level.grouping.name == ALL:
            own = [c.name for e in level.equations if not e.factor for c in e.columns]
            if own:
                note = " ".join(filter(None, (note, f"Random for all observations: {', '.join(own)}.")))
    chain.append(Box("observation", (count(estimates.n_obs),)))
    return Diagram(Nesting(tuple(chain), tuple(crossed), _title(chain, crossed), note))


def _title(chain: list[Box], crossed: list[tuple[int, Box]]) -> str:
    names = [box.name for box in reversed(chain)]
    title = f"{' in '.join(names)}"
    others = [box.name for _, box in crossed]
    return f"{title}, crossed with {' and '.join(others)}" if others else title


def _counts(grouping: Grouping, upper: Grouping | None) -> tuple[str, ...]:
    lines = [f"{_plural(len(grouping.sizes), 'group')}"]
    if upper is not None:
        inside = np.bincount(upper.codes[grouping.first], minlength=len(upper.sizes))
        lines.append(f"{_range(inside)} in each {upper.name}")
    lines.append(f"{_range(grouping.sizes, 'observation')} each")
    return tuple(lines)


def _effects(names: list[str]) -> tuple[str, ...]:
    if not names:
        return ()
    shown = names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 1], "..."]
    return (f"random: {', '.join(shown)}",)


def _factors(level: DesignLevel) -> list[tuple[str, Index]]:
    """The crossed factors of a level, with their codes by observation."""
    found = []
    for equation in level.equations:
        if equation.codes is not None:
            # Within groups a value has a code in each of them.
            value = np.unique(equation.values, return_inverse=True)[1]
            found.append((equation.factor, value[equation.codes]))
    return found


def _factor_box(grouping: Grouping, name: str, codes: Index) -> Box:
    values = int(codes.max()) + 1
    sizes = np.bincount(grouping.codes * values + codes)
    sizes = sizes[sizes > 0]
    what = (
        _plural(values, "group") if grouping.name == ALL else f"{count(values)} values within {grouping.name}"
    )
    lines = (what, f"{_range(sizes, 'observation')} each", "random: _cons")
    return Box(name, lines)


def _combinations(levels: tuple[DesignLevel, ...], factors: list[tuple[str, Index]]) -> str:
    """How many combinations of the crossed units there are, and how many could be."""
    groupings = [level.grouping for level in levels if level.grouping.name != ALL]
    parts = [*factors, *((g.name, g.codes) for g in groupings[:1])]
    if len(parts) < 2:
        return ""
    possible = 1
    for _, codes in parts:
        possible *= int(codes.max()) + 1
    present = len(np.unique(np.column_stack([codes for _, codes in parts]), axis=0))
    names = " × ".join(name for name, _ in parts)
    return f"{names}: {count(present)} of {count(possible)} combinations occur."


def _range(sizes: Index, noun: str = "") -> str:
    least, most = int(sizes.min()), int(sizes.max())
    if least == most:
        return _plural(least, noun) if noun else count(least)
    return f"{count(least)} to {count(most)}{f' {noun}s' if noun else ''}"


def _plural(n: int, noun: str) -> str:
    return f"{count(n)} {noun}{'' if n == 1 else 's'}"
