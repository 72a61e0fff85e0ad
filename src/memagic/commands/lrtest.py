"""The command `lrtest`: two results by their names, or the last one against no random effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from memagic.commands.stored_estimates import Shelf
from memagic.errors import CommandError
from memagic.postestimation.bootstrap import (
    bootstrapped,
    refittable,
    refittable_pair,
    refittable_without_effects,
)
from memagic.postestimation.likelihood_ratio import against_no_effects, likelihood_ratio
from memagic.postestimation.likelihood_ratio_result import LikelihoodRatio
from memagic.results.estimates import Estimates
from memagic.spec.cursor import Cursor
from memagic.spec.lrtest import LrTestCommand, read_lrtest

__all__ = ["lrtest_command"]


def lrtest_command(
    text: str, shelf: Shelf, progress: Callable[[int, int], None] | None = None
) -> LikelihoodRatio:
    """Run ``lrtest [A [B]] [, options]`` on the results of a session.

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
    test, small, large = _without_effects(command, shelf) if not command.names else _of_two(command, shelf)
    if command.replications is None:
        return test
    if small is None:
        pair = refittable_without_effects(large), refittable(large)
    else:
        pair = refittable_pair(small, large)
    return bootstrapped(
        test,
        *pair,
        command.replications,
        command.seed,
        workers=command.workers,
        progress=progress,
    )


def _of_two(command: LrTestCommand, shelf: Shelf) -> tuple[LikelihoodRatio, Estimates, Estimates]:
    """The test, the smaller and the larger model."""
    names = [*command.names, (".", (0, 0))][:2]
    found = [shelf.find(name, span).estimates for name, span in names]
    if found[0] is found[1]:
        hint = "name two different results"
        raise CommandError(498, "the two results are the same", span=command.names[0][1], hint=hint)
    pairs = tuple(zip((name for name, _ in names), found, strict=True))
    test = likelihood_ratio(pairs[0], pairs[1], df=command.df, force=command.force, mixture=command.mixture)
    by_name = dict(pairs)
    listed = tuple(
        _line(name, by_name[name], len(by_name[name].parameters)) for name in (test.smaller, test.larger)
    )
    test = replace(test, stats=command.stats, directory=listed if command.directory else ())
    small, large = found if test.smaller == names[0][0] else found[::-1]
    return test, small, large


def _without_effects(command: LrTestCommand, shelf: Shelf) -> tuple[LikelihoodRatio, None, Estimates]:
    """The test of the last estimates; the smaller model is fitted where it is needed."""
    large = shelf.last().estimates
    test = against_no_effects(".", large, df=command.df, mixture=command.mixture)
    effects = sum(parameter.role in ("variance", "covariance") for parameter in large.parameters)
    k = len(large.parameters)
    listed = (_line(test.smaller, large, k - effects), _line(test.larger, large, k))
    return replace(test, stats=command.stats, directory=listed if command.directory else ()), None, large


def _line(name: str, estimates: Estimates, parameters: int) -> tuple[str, str, str, int]:
    """What option dir tells of a model."""
    return name, estimates.command.name, estimates.command.depvar.variable, parameters
