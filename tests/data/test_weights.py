"""Weights: which rows they keep, what they refuse, and their values by level."""

import numpy as np
import pandas as pd
import pytest

from memagic.data.design import make_design
from memagic.errors import CommandError
from memagic.spec.parser import parse_command

NAN = np.nan
FRAME = pd.DataFrame(
    {
        "y": [1.0, 0, 1, 0, 1, 0, 1, 0],
        "x": [0.5, 1, 2, 4, 1, 3, 5, NAN],
        "top": [2, 2, 2, 2, 1, 1, 1, 1],
        "low": [1, 1, 2, 2, 1, 1, 1, 2],
        "w": [1.5, 2, 0, 1, NAN, 1, 3, 9],
        "count": [1, 2, 3, 1, 1, 1, 1, 2],
        "wtop": [7.0, 7, 7, 7, 5, 5, 5, 99],
        "wlow": [1.0, 1, 2, 2, 3, 3, 3, 4],
        "odd": [7.0, 7, 7, 8, 5, 5, 5, 5],
        "less": [1.0, 1, 1, 1, 1, 1, 1, -1],
        "text": list("abcdefgh"),
    }
)


def design(text):
    return make_design(parse_command(f"meglm y {text}"), FRAME, None)


def test_rows_and_values_of_two_levels():
    """A missing or zero weight drops its row; groups have one weight each, in the order of their codes."""
    found = design("x [pw=w*2] || top:, pw(wtop) || low:, pweight(wlow)")
    assert list(np.flatnonzero(found.sample)) == [0, 1, 3, 5, 6]
    assert found.weights.kind == "pweight"
    np.testing.assert_array_equal(found.weights.observations, [3, 4, 2, 2, 6])
    top, low = found.weights.levels
    np.testing.assert_array_equal(top[found.levels[0].grouping.codes], [7, 7, 7, 5, 5])
    np.testing.assert_array_equal(low[found.levels[1].grouping.codes], [1, 1, 2, 3, 3])
    assert (top.shape, low.shape) == ((2,), (3,))


def test_weights_of_groups_alone():
    found = design("in 1/7 || top:, iw(wtop) || low:")
    assert found.weights.kind == "iweight"
    np.testing.assert_array_equal(found.weights.observations, np.ones(8)[found.sample])
    assert found.weights.levels[1] is None


def test_no_weights():
    assert design("x || top:").weights is None


@pytest.mark.parametrize("spelling", ["fw", "fweight", "freq", "frequency"])
def test_spellings(spelling):
    found = design(f"[{spelling}=count] || top: || low:, fw(wlow)")
    assert found.weights.kind == "fweight"
    assert found.weights.observations.sum() == 12


def test_weights_outside_the_selected_rows_do_not_matter():
    assert design("if less > 0 [fw=less] || top:").sample.sum() == 7
    assert design("in 1/3 || top:, iw(odd)").weights.levels[0].tolist() == [7]


REFUSED = [
    ("[pw=less] || top:", 402, "negative weights encountered", "[pw=less]"),
    ("|| top:, iw(less)", 402, "negative weights encountered", "iw(less)"),
    ("[fw=w] || top:", 401, "may not use noninteger frequency weights", "[fw=w]"),
    ("[fw=count/2] || top:", 401, "may not use noninteger frequency weights", "[fw=count/2]"),
    ("[pw=text] || top:", 109, "type mismatch: text is a string variable", "text"),
    ("[pw=nowhere] || top:", 111, "variable nowhere not found", "nowhere"),
    ("|| top:, pw(nowhere)", 111, "variable nowhere not found", "nowhere"),
    ("|| top:, pw(text)", 109, "type mismatch: text is a string variable", "text"),
    ("|| top:, pw(odd)", 459, "pweight(odd) is not constant within groups of top", "pw(odd)"),
    ("|| top: || low:, fw(x)", 401, "may not use noninteger frequency weights", "fw(x)"),
    ("|| top: || low:, iw(x)", 459, "iweight(x) is not constant within groups of top>low", "iw(x)"),
    ("[pw=0] || top:", 2000, "no observations", None),
]


@pytest.mark.parametrize(("text", "rc", "message", "place"), REFUSED)
def test_refused(text, rc, message, place):
    with pytest.raises(CommandError) as caught:
        design(text)
    error = caught.value
    assert (error.rc, error.message) == (rc, message)
    if place is not None:
        whole = f"meglm y {text}"
        assert whole[slice(*error.span)] == place


def test_no_weight_above_zero():
    with pytest.raises(CommandError, match="no observations") as caught:
        design("[pw=0] || top:")
    assert caught.value.hint == "no observation has a weight above zero and all variables"


def test_the_first_observation_that_differs_is_named():
    with pytest.raises(CommandError) as caught:
        design("if x > .5 || top:, pw(odd)")
    assert caught.value.hint == "observation 4 is the first to differ from its group"


def test_one_weight_for_a_level():
    with pytest.raises(CommandError, match="level top has more than one") as caught:
        design("|| top: x, iw(wtop) nocons || top:, iw(wlow)")
    assert caught.value.rc == 198
    again = design("in 1/7 || top: x, iw(wtop) nocons || top:, iw(wtop)")
    assert again.weights.levels[0].tolist() == [5, 7]
