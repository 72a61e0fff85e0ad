"""Lines of the iteration log."""

from __future__ import annotations

import pytest

from memagic.display.log_lines import (
    FITTING_FIXED,
    FITTING_FULL,
    REFINING,
    grid_line,
    iteration_line,
    likelihood_label,
    section,
)


def test_a_whole_log() -> None:
    lines = [
        *section(FITTING_FIXED),
        iteration_line(0, -1229.54852),
        *section(REFINING),
        grid_line(0, -1219.26811),
        *section(FITTING_FULL),
        iteration_line(0, -1219.26811, "not concave"),
        iteration_line(9, -3663.222, "backed up"),
        iteration_line(10, -1206.83221),
    ]
    assert lines == [
        "",
        "Fitting fixed-effects model:",
        "",
        "Iteration 0:  Log likelihood = -1229.5485",
        "",
        "Refining starting values:",
        "",
        "Grid node 0:  Log likelihood = -1219.2681",
        "",
        "Fitting full model:",
        "",
        "Iteration 0:  Log likelihood = -1219.2681  (not concave)",
        "Iteration 9:  Log likelihood =  -3663.222  (backed up)",
        "Iteration 10: Log likelihood = -1206.8322",
    ]


def test_pseudolikelihood_and_missing_value() -> None:
    assert iteration_line(3, -197395.978, pseudo=True) == "Iteration 3:  Log pseudolikelihood = -197395.98"
    assert grid_line(1, float("nan")) == "Grid node 1:  Log likelihood =          ."


@pytest.mark.parametrize("pseudo", [False, True])
def test_label(pseudo: bool) -> None:
    assert likelihood_label(pseudo) in iteration_line(0, -1.5, pseudo=pseudo)
