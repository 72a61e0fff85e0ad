"""Commands as Python functions, each with a session of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from memagic.errors import CommandError
from memagic.results import MEResults
from memagic.session import Session
from memagic.spec.keywords import options_text
from memagic.spec.options import options_of
from memagic.spec.scanner import scan

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from concurrent.futures import Executor

    from memagic.data.sources import Data
    from memagic.widgets.integrand import IntegrandView
    from memagic.widgets.start_grid import StartGrid

__all__ = [
    "explore_integrand",
    "explore_start",
    "load",
    "mecloglog",
    "meglm",
    "melogit",
    "menbreg",
    "meologit",
    "meoprobit",
    "mepoisson",
    "meprobit",
    "run",
]


def run(
    command: str,
    data: Data,
    *,
    matrices: Mapping[str, Any] | None = None,
    constraints: Mapping[int, str] | None = None,
    threads: int = 0,
    executor: Executor | None = None,
) -> MEResults:
    """Run one estimation command.

    Parameters
    ----------
    command : str
        As it is typed after the magic's sign, ``melogit c_use i.urban age || district:, or``.
    data : DataFrame, Arrow table or str
        Not changed; also one of polars. A string is the name of an example data set or the path of a
        .dta file.
    matrices : mapping, optional
        What ``covariance(fixed(A))``, ``covariance(pattern(A))`` and ``from(b)`` refer to by name: arrays,
        DataFrames or lists of rows; for ``from()`` Series such as ``fit.params``, DataFrames with one
        row such as ``fit.e["b"]``, or dicts.
    constraints : mapping of int to str, optional
        What ``constraints(1)`` refers to, ``{1: "[c_use]age = 0"}``.
    threads : int
        How many blocks of the data are worked on at once, 0 for as many as suit their size and the
        machine; estimates do not depend on it.
    executor : concurrent.futures.Executor, optional
        What works on parts of the data: the processes of a pool, or those of other machines.

    Returns
    -------
    MEResults

    Raises
    ------
    CommandError
        What is wrong with the command or the data.
    """
    session = Session(data, constraints=constraints, threads=threads, executor=executor)
    # What is wrong with a matrix is said where the command names it.
    session.matrices.update(matrices or {})
    result = session.run(command)
    if not isinstance(result, MEResults):
        hint = "run() takes one estimation command; several commands need a Session"
        raise CommandError(198, "not an estimation command", hint=hint, text=command)
    return result


def load(path: str | os.PathLike[str]) -> MEResults:
    """The result that `fit.save` or `estimates save` has written to a file; see `MEResults.save`.

    Returns
    -------
    MEResults

    Raises
    ------
    CommandError
        ``file x not found``, r(601); no estimates, damaged or of a newer version, r(610).
    """
    return MEResults.load(path)


def explore_start(
    command: str,
    data: Data,
    *,
    matrices: Mapping[str, Any] | None = None,
    constraints: Mapping[int, str] | None = None,
) -> StartGrid:
    """Explore the starting values of an estimation command: a widget.

    It computes the log likelihood over a grid of variances and covariances, shows it as a table and a
    drawing, fits the model from any node, and tells what to type for the same. The last fit is its
    ``result``.

    Parameters
    ----------
    command : str
        As for `run`; what it says in ``startgrid()`` is the grid to begin with.
    data : DataFrame or str
    matrices : mapping, optional
    constraints : mapping of int to str, optional

    Returns
    -------
    StartGrid

    Raises
    ------
    CommandError
        What is wrong with the command or the data; no variances to explore, r(198).
    """
    session = Session(data, constraints=constraints)
    session.matrices.update(matrices or {})
    from memagic.commands.exploration import explore
    from memagic.widgets.start_grid import StartGrid

    # This session ends here: there are no last estimates to replace.
    return StartGrid(explore(session.prepared(command)))


def explore_integrand(fit: MEResults, group: int | None = None) -> IntegrandView:
    """Look at one group's integrand and what quadrature makes of it; see `MEResults.explore_integrand`."""
    if not isinstance(fit, MEResults):
        message = "explore_integrand takes a result: explore_integrand(memagic.run(command, data), group)"
        raise TypeError(message)
    return fit.explore_integrand(group)


def _call(name: str, specification: str, data: Data, options: dict[str, object]) -> MEResults:
    options = dict(options)
    threads, executor = cast("int", options.pop("threads", 0)), cast("Any", options.pop("executor", None))
    matrices = {}
    for key, value in options.items():
        if key.rstrip("_") == "from" and not isinstance(value, str):
            # A vector has no text: it goes by the option's own name.
            matrices["from"] = value
            options = {**options, key: "from"}
    fixed = {key for key in options if _is_fixed(key.rstrip("_"), name)}
    first, rest = _split(specification)
    first += options_text({key: value for key, value in options.items() if key in fixed})
    rest += options_text({key: value for key, value in options.items() if key not in fixed})
    return run(f"{name} {first}{rest}", data, matrices=matrices, threads=threads, executor=executor)


def _is_fixed(name: str, command: str) -> bool:
    """Whether an option is the fixed-effects equation's, which ends at the first ``||``."""
    return any(
        spec.name.startswith(name) and len(name) >= spec.minimum for spec in options_of(command, "fixed")
    )


def _split(specification: str) -> tuple[str, str]:
    """The fixed-effects equation, and the rest from the first ``||`` on."""
    for token in scan(specification, fragment=True):
        if token.text == "||":
            return specification[: token.start], specification[token.start :]
    return specification, ""


def meglm(specification: str, data: Data, **options: object) -> MEResults:
    """Multilevel mixed-effects generalized linear model.

    Parameters
    ----------
    specification : str
        What follows the command's name, ``c_use urban age || district:``.
    data : DataFrame or str
        As for `run`.
    **options
        Options by name: ``family="bernoulli"``, ``intpoints=9``, ``eform=True``. A trailing
        underscore is dropped: ``or_=True``. ``from_`` takes initial values as a dict or as a Series
        such as ``fit.params``. Constraints are defined by `run` or a `Session`. ``threads`` and ``executor``
        are those of `run`.

    Returns
    -------
    MEResults

    Raises
    ------
    CommandError
        What is wrong with the command or the data.
    """
    return _call("meglm", specification, data, options)


def melogit(specification: str, data: Data, **options: object) -> MEResults:
    """Multilevel mixed-effects logistic regression; see `meglm` for the arguments."""
    return _call("melogit", specification, data, options)


def meprobit(specification: str, data: Data, **options: object) -> MEResults:
    """Multilevel mixed-effects probit regression; see `meglm` for the arguments."""
    return _call("meprobit", specification, data, options)


def mecloglog(specification: str, data: Data, **options: object) -> MEResults:
    """Multilevel mixed-effects complementary log-log regression; see `meglm` for the arguments."""
    return _call("mecloglog", specification, data, options)


def mepoisson(specification: str, data: Data, **options: object) -> MEResults:
    """Multilevel mixed-effects Poisson regression; see `meglm` for the arguments."""
    return _call("mepoisson", specification, data, options)


def menbreg(specification: str, data: Data, **options: object) -> MEResults:
    """Multilevel mixed-effects negative binomial regression; see `meglm` for the arguments."""
    return _call("menbreg", specification, data, options)


def meologit(specification: str, data: Data, **options: object) -> MEResults:
    """Multilevel mixed-effects ordered logistic regression; see `meglm` for the arguments."""
    return _call("meologit", specification, data, options)


def meoprobit(specification: str, data: Data, **options: object) -> MEResults:
    """Multilevel mixed-effects ordered probit regression; see `meglm` for the arguments."""
    return _call("meoprobit", specification, data, options)
