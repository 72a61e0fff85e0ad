"""Commands as Python functions, each with a session of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.results import MEResults
from memagic.session import Session

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["mecloglog", "meglm", "melogit", "mepoisson", "meprobit", "run"]


def run(command: str, data: pd.DataFrame) -> MEResults:
    """Run one estimation command.

    Parameters
    ----------
    command : str
        As it is typed after the magic's sign, ``melogit c_use i.urban age || district:, or``.
    data : DataFrame
        Not changed.

    Raises
    ------
    CommandError
        What is wrong with the command or the data.
    """
    result = Session(data).run(command)
    if not isinstance(result, MEResults):
        raise CommandError(301, "last estimates not found", text=command)
    return result


def _call(name: str, specification: str, data: pd.DataFrame, options: dict[str, object]) -> MEResults:
    return run(" ".join([name, specification, _options_text(specification, options)]).strip(), data)


def _options_text(specification: str, options: dict[str, object]) -> str:
    """Keyword arguments as options: True for a flag, any other value in parentheses."""
    words = []
    for name, value in options.items():
        name = name.rstrip("_")
        if value is True:
            words.append(name)
        elif value is not None and value is not False:
            words.append(f"{name}({value})")
    if not words:
        return ""
    # A second comma separates options too, so that these may follow options of the text.
    return ", " + " ".join(words)


def meglm(specification: str, data: pd.DataFrame, **options: object) -> MEResults:
    """Multilevel mixed-effects generalized linear model.

    Parameters
    ----------
    specification : str
        What follows the command's name, ``c_use urban age || district:``.
    data : DataFrame
    **options
        Options by name: ``family="bernoulli"``, ``intpoints=9``, ``eform=True``. A trailing
        underscore is dropped: ``or_=True``.
    """
    return _call("meglm", specification, data, options)


def melogit(specification: str, data: pd.DataFrame, **options: object) -> MEResults:
    """Multilevel mixed-effects logistic regression; see `meglm` for the arguments."""
    return _call("melogit", specification, data, options)


def meprobit(specification: str, data: pd.DataFrame, **options: object) -> MEResults:
    """Multilevel mixed-effects probit regression; see `meglm` for the arguments."""
    return _call("meprobit", specification, data, options)


def mecloglog(specification: str, data: pd.DataFrame, **options: object) -> MEResults:
    """Multilevel mixed-effects complementary log-log regression; see `meglm` for the arguments."""
    return _call("mecloglog", specification, data, options)


def mepoisson(specification: str, data: pd.DataFrame, **options: object) -> MEResults:
    """Multilevel mixed-effects Poisson regression; see `meglm` for the arguments."""
    return _call("mepoisson", specification, data, options)
