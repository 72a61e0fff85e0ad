"""Names and forms of predicted random effects; their numbers are tested with the engine's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError
from memagic.postestimation.random_effects import random_effects
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]
SLOPE = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"
CROSSED = "meglm attain_gt_6 sex, family(bernoulli) || _all: R.sid || pid:"


@pytest.fixture(scope="module")
def tree() -> pd.DataFrame:
    """Four schools of two classes, which are numbered within them; names out of order."""
    rng = np.random.default_rng(8)
    n = 160
    school = np.repeat(["west", "east", "north", "south"], 40)
    room = np.tile(np.repeat([2, 1], 20), 4)
    effect = rng.normal(size=4)[np.unique(school, return_inverse=True)[1]]
    x = rng.normal(size=n)
    y = 1 + x + effect + room * 0.3 + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "school": school, "room": room, "rater": np.arange(n) % 5})


def test_frames_of_one_level(fitted: Fitted) -> None:
    result = fitted(SLOPE, "bangladesh")
    (name,) = result.random_effects
    effects, se = result.random_effects[name], result.random_effects_se[name]
    assert name == "district"
    assert effects.index.name == "district"
    assert list(effects.columns) == ["1.urban", "_cons"]
    # District 54 is not in the data.
    assert list(effects.index) == [k for k in range(1, 62) if k != 54]
    assert effects.index.equals(se.index)
    assert (se > 0).all(axis=None)
    # Posterior variances and the variance of the means add up to the variance, about.
    total = effects["_cons"].var() + (se["_cons"] ** 2).mean()
    assert total == pytest.approx(result.params["/var(_cons[district])"], rel=0.15)


def test_frames_are_the_users_own(fitted: Fitted) -> None:
    result = fitted(SLOPE, "bangladesh")
    before = result.random_effects["district"].copy()
    changed = result.random_effects["district"]
    changed.iloc[:] = 0.0
    pd.testing.assert_frame_equal(result.random_effects["district"], before)
    with pytest.raises(ValueError, match="read-only"):
        result.empirical_bayes().groups[0].value[0] = 1.0


def test_nested_levels_have_the_values_of_both_groups(tree: pd.DataFrame) -> None:
    result = memagic.run("meglm y x || school: || room: x", data=tree)
    assert list(result.random_effects) == ["school", "school>room"]
    assert list(result.random_effects["school"].index) == ["east", "north", "south", "west"]
    inner = result.random_effects["school>room"]
    assert inner.index.names == ["school", "room"]
    assert list(inner.columns) == ["x", "_cons"]
    assert inner.index.is_unique
    assert set(inner.index) == {(s, r) for s in tree["school"] for r in (1, 2)}


def test_groups_have_the_effects_of_their_own_rows(tree: pd.DataFrame) -> None:
    """The means of the residuals and the effects go together, whatever the order of the rows."""
    shuffled = tree.sample(frac=1, random_state=np.random.default_rng(1))
    result = memagic.run("meglm y x || school:", data=shuffled)
    left = shuffled["y"] - result.params["_cons"] - result.params["x"] * shuffled["x"]
    # With balanced groups the predictions are proportional to the means: n s2u / (n s2u + s2e).
    s2u, s2e = result.params["/var(_cons[school])"], result.params["/var(e.y)"]
    expected = left.groupby(shuffled["school"]).mean() * (40 * s2u / (40 * s2u + s2e))
    found = result.random_effects["school"]["_cons"]
    pd.testing.assert_series_equal(found, expected, check_names=False, rtol=1e-6)


def test_crossed_factors_have_a_row_a_value(fitted: Fitted) -> None:
    result = fitted(CROSSED, "fifeschool")
    assert list(result.random_effects) == ["_all>sid", "pid"]
    assert list(result.random_effects["_all>sid"].index) == list(range(1, 20))
    assert list(result.random_effects["_all>sid"].columns) == ["_cons"]
    assert len(result.random_effects["pid"]) == 148
    assert result.random_effects["pid"].index.name == "pid"


def test_a_factor_within_groups_has_the_pairs_that_occur(tree: pd.DataFrame) -> None:
    some = tree[~((tree["school"] == "east") & (tree["rater"] == 3))]
    result = memagic.run("meglm y x || school: R.rater", data=some)
    frame = result.random_effects["school>rater"]
    assert frame.index.names == ["school", "rater"]
    assert ("east", 3) not in frame.index
    assert len(frame) == 19


def test_values_are_those_of_the_frame(tree: pd.DataFrame) -> None:
    words = tree.assign(school=pd.Categorical(tree["school"], ["west", "east", "north", "south"]))
    result = memagic.run("meglm y x if x < 1 || school:", data=words)
    assert list(result.random_effects["school"].index) == ["west", "east", "north", "south"]


def test_modes_are_not_means(fitted: Fitted) -> None:
    result = fitted(SLOPE, "bangladesh")
    means, modes = result.empirical_bayes().level(), result.empirical_bayes("ebmodes").level()
    assert np.abs(means.value - modes.value).max() > 1e-3
    assert np.corrcoef(means.value[:, 1], modes.value[:, 1])[0, 1] > 0.99
    # Empty of meaning without the posterior's skewness: closer than a tenth of a standard error.
    assert (np.abs(means.value - modes.value) < 0.1 * means.se).all()


def test_shown_in_a_line(fitted: Fitted) -> None:
    found = fitted(SLOPE, "bangladesh").empirical_bayes("ebmodes")
    assert repr(found) == "<posterior modes of district (60 groups: 1.urban, _cons)>"


def test_no_random_effects(fitted: Fitted) -> None:
    result = fitted("melogit c_use age", "bangladesh")
    assert result.random_effects == {}
    with pytest.raises(CommandError, match="no random effects"):
        result.empirical_bayes().level()


def test_mistakes(fitted: Fitted) -> None:
    result = fitted(SLOPE, "bangladesh")
    with pytest.raises(CommandError, match="level distrct not found") as caught:
        result.empirical_bayes().level("distrct")
    assert caught.value.rc == 111
    assert "district" in str(caught.value.hint)
    with pytest.raises(CommandError, match="blup is not a statistic"):
        random_effects(result.estimates, "blup")  # type: ignore[arg-type]
