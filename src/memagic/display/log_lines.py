"""The lines of the iteration log, one function for each kind of line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from memagic.display.formats import g

__all__ = [
    "FITTING_CONSTANT",
    "FITTING_FIXED",
    "FITTING_FULL",
    "REFINING",
    "Progress",
    "grid_line",
    "grid_progress",
    "iteration_line",
    "iteration_progress",
    "likelihood_label",
    "section",
]

FITTING_CONSTANT = "Fitting constant-only model:"
FITTING_FIXED = "Fitting fixed-effects model:"
REFINING = "Refining starting values:"
FITTING_FULL = "Fitting full model:"

Remark = Literal["", "not concave", "backed up"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command is: in words, and as a share of the whole where that is known."""

    words: str
    share: float | None = None


def grid_progress(done: int, total: int) -> Progress:
    """After `done` of `total` nodes of a grid."""
    return Progress(f"grid node {done} of {total}", done / total)


def iteration_progress(number: int, scaled_gradient: float, tolerance: float | None) -> Progress:
    """After an iteration; it stops where g*inv(-H)*g' is below `tolerance`."""
    words = f"iteration {number}"
    if tolerance is not None and scaled_gradient > tolerance:
        words += f", scaled gradient {scaled_gradient:.0e}, to go below {tolerance:.0e}"
    return Progress(words)


def likelihood_label(pseudo: bool = False) -> str:
    """Name the likelihood: with sampling weights or a robust variance it is a pseudolikelihood."""
    return "Log pseudolikelihood" if pseudo else "Log likelihood"


def section(title: str) -> tuple[str, str, str]:
    """Set a title between blank lines.

    Parameters
    ----------
    title : str
        Such as `FITTING_FIXED`, `REFINING`, `FITTING_FULL`.

    Returns
    -------
    tuple of str
        A blank line, the title, a blank line.
    """
    return "", title, ""


def iteration_line(number: int, ll: float, remark: Remark = "", *, pseudo: bool = False) -> str:
    """Write one iteration: ``Iteration 0:  Log likelihood = -1219.2681  (not concave)``.

    Parameters
    ----------
    number : int
        The iteration, from 0.
    ll : float
        The log likelihood there.
    remark : str
        "not concave", "backed up" or nothing.
    pseudo : bool
        Whether it is a pseudolikelihood.

    Returns
    -------
    str
        The line without trailing blanks.
    """
    line = _line(f"Iteration {number}:", ll, pseudo)
    return f"{line}  ({remark})" if remark else line


def grid_line(node: int, ll: float, *, pseudo: bool = False) -> str:
    """Write one node of the grid of starting values: ``Grid node 0:  Log likelihood = -1219.2681``.

    Parameters
    ----------
    node : int
        The node, from 0.
    ll : float
        The log likelihood there; nan where it cannot be evaluated.
    pseudo : bool
        Whether it is a pseudolikelihood.

    Returns
    -------
    str
        The line without trailing blanks.
    """
    return _line(f"Grid node {node}:", ll, pseudo)


def _line(head: str, ll: float, pseudo: bool) -> str:
    return f"{head:<14}{likelihood_label(pseudo)} = {g(ll, 10):>10}"
