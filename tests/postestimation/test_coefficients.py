"""The numbers of the figure of coefficients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from memagic import CommandError
from memagic.postestimation.coefficients import coefficient_intervals
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]
COMMAND = "melogit c_use i.urban##c.age i.children || district:"


def test_limits_are_those_of_conf_int(fitted: Fitted) -> None:
    result = fitted(COMMAND, "bangladesh")
    found = coefficient_intervals(result.estimates, level=90, constant=True)
    limits = result.conf_int(0.1).loc[list(found.names)]
    np.testing.assert_array_equal(found.b, result.params[list(found.names)])
    np.testing.assert_array_equal(np.column_stack([found.lower, found.upper]), limits)
    assert found.null == 0.0
    assert found.scale == "Coefficient"


def test_odds_ratios_are_exponentials(fitted: Fitted) -> None:
    result = fitted(COMMAND, "bangladesh")
    plain = coefficient_intervals(result.estimates)
    ratios = coefficient_intervals(result.estimates, "or")
    for a, b in ((plain.b, ratios.b), (plain.lower, ratios.lower), (plain.upper, ratios.upper)):
        np.testing.assert_allclose(np.exp(a), b, rtol=1e-14)
    assert ratios.null == 1.0
    assert ratios.scale == "Odds ratio"


def test_names_are_words(fitted: Fitted) -> None:
    found = coefficient_intervals(fitted(COMMAND, "bangladesh").estimates, constant=True)
    words = dict(zip(found.names, found.labels, strict=True))
    assert words["age"] == "age"
    assert words["1.urban"] == "urban = urban"
    assert words["1.urban#c.age"] == "urban = urban × age"
    assert words["2.children"] == "children = 2 children"
    assert words["_cons"] == "constant"
    assert "_cons" not in coefficient_intervals(fitted(COMMAND, "bangladesh").estimates).names


def test_scales_that_are_not_the_models(fitted: Fitted) -> None:
    with pytest.raises(CommandError, match="option irr not allowed"):
        coefficient_intervals(fitted(COMMAND, "bangladesh").estimates, "irr")
    with pytest.raises(CommandError, match=r"level\(\) must be"):
        coefficient_intervals(fitted(COMMAND, "bangladesh").estimates, level=100)
