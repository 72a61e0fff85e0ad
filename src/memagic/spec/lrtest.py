"""The grammar of `lrtest`.

Source: [R] lrtest; options mixture, bootstrap(), seed() and workers() go beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.spec.command_options import Allowed, number_of, split_options

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Span

__all__ = ["LrTestCommand", "read_lrtest"]

_ALLOWED = {
    "stats": Allowed(2),
    "dir": Allowed(3),
    "df": Allowed(2, "required"),
    "force": Allowed(5),
    "mixture": Allowed(3),
    "bootstrap": Allowed(4, "required"),
    "seed": Allowed(4, "required"),
    "workers": Allowed(7, "required"),
}


@dataclass(frozen=True, slots=True)
class LrTestCommand:
    """What was typed after `lrtest`.

    Attributes
    ----------
    names : tuple of (str, span)
        One or two; a point stands for the last estimates, which are also the second without a name.
        None, with mixture or bootstrap(): the last estimates against no random effects.
    stats, directory, force, mixture : bool
    df : int or None
    replications : int or None
        Of the bootstrap.
    seed : int
    workers : int
    """

    names: tuple[tuple[str, Span], ...]
    stats: bool
    directory: bool
    force: bool
    mixture: bool
    df: int | None
    replications: int | None
    seed: int
    workers: int


def read_lrtest(cursor: Cursor) -> LrTestCommand:
    """Read what follows ``lrtest``.

    Raises
    ------
    CommandError
        r(198) for a syntax error, r(100) without a name where one is needed.
    """
    body, options = split_options(cursor, _ALLOWED)
    names: list[tuple[str, Span]] = []
    while not body.done:
        token = body.peek()
        if token is None or not (token.kind == "name" or token.text == "."):
            raise body.invalid(hint="type lrtest and the names of one or two results")
        body.take()
        names.append((token.text, token.span))
    found = {option.name: option for option in options}
    if not names and not {"mixture", "bootstrap"} & set(found):
        hint = "store results first: estimates store name; lrtest, mixture is against no random effects"
        raise CommandError(100, "name required", span=cursor.here(), hint=hint)
    if len(names) > 2:
        raise CommandError(198, "two models at most", span=names[2][1], hint="lrtest A B")
    for needs in ("seed", "workers"):
        if needs in found and "bootstrap" not in found:
            message = f"option {needs}() requires bootstrap()"
            raise CommandError(198, message, span=found[needs].span)

    def whole(name: str, least: int) -> int | None:
        return int(number_of(found[name], whole=True, least=least)) if name in found else None

    return LrTestCommand(
        names=tuple(names),
        stats="stats" in found,
        directory="dir" in found,
        force="force" in found,
        mixture="mixture" in found,
        df=whole("df", 1),
        replications=whole("bootstrap", 1),
        seed=whole("seed", 0) or 0,
        workers=whole("workers", 1) or 1,
    )
