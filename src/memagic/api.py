"""Commands as Python functions, each with a session of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from memagic.errors import CommandError
from memagic.results import MEResults
from memagic.session import Session
from memagic.spec.options import options_of
from memagic.spec.scanner import scan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["mecloglog", "meglm", "melogit", "mepoisson", "meprobit", "run"]


def run(
    command: str,
    data: pd.DataFrame | str,
    *,
    matrices: Mapping[str, Any] | None = None,
    constraints: Mapping[int, str] | None = None,
) -> MEResults:
    """Run one estimation command.

    Parameters
    ----------
    command : str
        As it is typed after the magic's sign, ``melogit c_use i.urban age || district:, or``.
    data : DataFrame or str
        Not changed. A string is the name of an example data set or the path of a .dta file.
    matrices : mapping of str to array, optional
        What ``covariance(fixed(A))`` and ``covariance(pattern(A))`` refer to.
    constraints : mapping of int to str, optional
        What ``constraints(1)`` refers to, ``{1: "[c_use]age = 0"}``.

    Raises
    ------
    CommandError
        What is wrong with the command or the data.
    """
    result = Session(data, matrices=matrices, constraints=constraints).run(command)
    if not isinstance(result, MEResults):
        hint = "run() takes one estimation command; several commands need a Session"
        raise CommandError(198, "not an estimation command", hint=hint, text=command)
    return result


def _call(name: str, specification: str, data: pd.DataFrame | str, options: dict[str, object]) -> MEResults:
    fixed = {key for key in options if _is_fixed(key.rstrip("_"), name)}
    first, rest = _split(specification)
    first += _options_text({key: value for key, value in options.items() if key in fixed})
    rest += _options_text({key: value for key, value in options.items() if key not in fixed})
    return run(f"{name} {first}{rest}", data)


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


def _options_text(options: dict[str, object]) -> str:
    """Keyword arguments as options: True for a flag, any other value in parentheses."""
    words = []
    for name, value in options.items():
        name = name.rstrip("_")
        if value is True:
            words.append(name)
        elif value is not None and value is not False:
            words.append(f"{name}({value})")
    # A second comma separates options too, so that these may follow options of the text.
    return f", {' '.join(words)} " if words else ""


def meglm(specification: str, data: pd.DataFrame | str, **options: object) -> MEResults:
    """Multilevel mixed-effects generalized linear model.

    Parameters
    ----------
    specification : str
        What follows the command's name, ``c_use urban age || district:``.
    data : DataFrame or str
        As for `run`.
    **options
        Options by name: ``family="bernoulli"``, ``intpoints=9``, ``eform=True``. A trailing
        underscore is dropped: ``or_=True``.
    """
    return _call("meglm", specification, data, options)


def melogit(specification: str, data: pd.DataFrame | str, **options: object) -> MEResults:
    """Multilevel mixed-effects logistic regression; see `meglm` for the arguments."""
    return _call("melogit", specification, data, options)


def meprobit(specification: str, data: pd.DataFrame | str, **options: object) -> MEResults:
    """Multilevel mixed-effects probit regression; see `meglm` for the arguments."""
    return _call("meprobit", specification, data, options)


def mecloglog(specification: str, data: pd.DataFrame | str, **options: object) -> MEResults:
    """Multilevel mixed-effects complementary log-log regression; see `meglm` for the arguments."""
    return _call("mecloglog", specification, data, options)


def mepoisson(specification: str, data: pd.DataFrame | str, **options: object) -> MEResults:
    """Multilevel mixed-effects Poisson regression; see `meglm` for the arguments."""
    return _call("mepoisson", specification, data, options)
