"""The command `lrtest`: two results by their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from memagic.commands.stored_estimates import Shelf
from memagic.errors import CommandError
from memagic.postestimation.bootstrap import bootstrapped
from memagic.postestimation.likelihood_ratio import LikelihoodRatio, likelihood_ratio
from memagic.spec.cursor import Cursor
from memagic.spec.lrtest import read_lrtest

__all__ = ["lrtest_command"]


def lrtest_command(
    text: str, shelf: Shelf, progress: Callable[[int, int], None] | None = None
) -> LikelihoodRatio:
    """Run ``lrtest A [B] [, options]`` on the results of a session.

    Parameters
    ----------
    text : str
    shelf : Shelf
    progress : callable, optional
        Told how many replications of a bootstrap are done and how many there are.

    Raises
    ------
    CommandError
        What is wrong with the command; ``estimation result r not found``, r(111); models that do not
        compare, r(498).
    """
    cursor = Cursor(text)
    cursor.take()
    command = read_lrtest(cursor)
    names = [*command.names, (".", (0, 0))][:2]
    found = [shelf.find(name, span).estimates for name, span in names]
    if found[0] is found[1]:
        hint = "name two different results"
        raise CommandError(498, "the two results are the same", span=command.names[0][1], hint=hint)
    pairs = tuple(zip((name for name, _ in names), found, strict=True))
    test = likelihood_ratio(pairs[0], pairs[1], df=command.df, force=command.force, mixture=command.mixture)
    by_name = dict(pairs)
    listed = tuple(
        (
            name,
            by_name[name].command.name,
            by_name[name].command.depvar.variable,
            len(by_name[name].parameters),
        )
        for name in (test.smaller, test.larger)
    )
    test = replace(test, stats=command.stats, directory=listed if command.directory else ())
    if command.replications is None:
        return test
    small, large = found if test.smaller == names[0][0] else found[::-1]
    return bootstrapped(
        test, small, large, command.replications, command.seed, workers=command.workers, progress=progress
    )
