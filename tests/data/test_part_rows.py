"""Summaries of parts, added up, are those of the whole."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import pandas as pd
import pytest

from memagic.data.coded import coded_terms, moments
from memagic.data.part_rows import merged_levels, open_part, part_design, part_moments, part_summary
from memagic.data.perfect import extremes
from memagic.data.sample import Dropped
from memagic.data.terms import expand
from memagic.data.variables import Variables
from memagic.engine.linear import cluster_means
from memagic.spec.parser import parse_command

COMMAND = parse_command("melogit y x i.f c.x#i.f if x < 1.5 || g:")


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    data = pd.DataFrame(
        {"g": np.arange(90) // 6, "x": 1000.0 + rng.normal(size=90), "f": rng.integers(1, 4, 90)}
    )
    data["x"] -= 1000.0 * (data["g"] > 3)
    data["y"] = rng.integers(0, 2, 90)
    data.loc[5, "y"] = np.nan
    return data


def cut(data: pd.DataFrame) -> list[pd.DataFrame]:
    return [data[data["g"] < 4], data[data["g"].between(4, 9)], data[data["g"] > 9]]


@pytest.mark.parametrize("centre", [True, False])
def test_sums_of_products(centre: bool) -> None:
    data = frame()
    variables = Variables(data)
    everything = np.ones(len(data), dtype=bool)
    columns = expand(variables, COMMAND.fixed.terms, everything)
    whole = moments(coded_terms(variables, columns, everything), len(data), len(columns), centre=centre)
    command = parse_command("melogit y x || g:")
    parts = [
        part_moments(open_part(part.assign(y=1.0), command, None), columns, (), centre) for part in cut(data)
    ]
    merged = reduce(add, parts)
    assert merged.n == whole.n
    np.testing.assert_allclose(merged.length, whole.length, rtol=1e-13)
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12, atol=1e-12)
    scale = np.sqrt(np.outer(whole.length, whole.length))
    np.testing.assert_allclose(merged.products / scale, whole.products / scale, atol=1e-13)


def test_extremes_by_outcome() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, 4, (60, 3)).astype(float)
    outcome = rng.random(60) < 0.5
    whole = extremes(outcome, x)
    # The last part has one outcome, the third no rows.
    order = np.argsort(outcome[40:], kind="stable") + 40
    rows = [np.arange(20), np.r_[20:40, order[:5]], np.empty(0, dtype=int), order[5:]]
    merged = reduce(add, [extremes(outcome[at], x[at]) for at in rows])
    for name in ("n", "low", "high", "at_low", "at_high"):
        np.testing.assert_array_equal(getattr(merged, name), getattr(whole, name))
    for j in range(3):
        for value in (0.0, 3.0):
            expected = [np.count_nonzero(x[outcome == side, j] == value) for side in (False, True)]
            np.testing.assert_array_equal(whole.counts(j, value), expected)
            np.testing.assert_array_equal(whole.only(j).counts(0, value), expected)


def test_means_of_clusters() -> None:
    rng = np.random.default_rng(3)
    cluster, residual = np.repeat(np.arange(12), 5), 100.0 + rng.normal(size=60)
    whole = cluster_means(cluster, residual)
    merged = cluster_means(cluster[:20], residual[:20]) + cluster_means(cluster[20:] - 4, residual[20:])
    means = residual.reshape(12, 5).mean(axis=1)
    assert merged.variance == pytest.approx(means.var(ddof=1), rel=1e-11)
    assert whole.variance == pytest.approx(means.var(ddof=1), rel=1e-12)


def test_what_a_part_tells() -> None:
    data = frame()
    opened = [open_part(part, COMMAND, None) for part in cut(data)]
    found = [part_summary(part, COMMAND, None) for part in opened]
    # The first part has no row that satisfies the condition.
    assert found[0].n == 0
    used = data[(data["x"] < 1.5) & data["y"].notna()]
    assert sum(summary.n for summary in found) == len(used)
    assert merged_levels(found)["f"].tolist() == [1.0, 2.0, 3.0]
    assert np.concatenate([summary.tops for summary in found]).tolist() == sorted(set(used["g"]))
    assert set(np.concatenate([summary.response for summary in found])[:, 0]) == {0.0, 1.0}
    assert part_design(opened[0], COMMAND, None, (), ()) is None


def test_reasons_add_up() -> None:
    both = Dropped(10, (("x is missing", 2),)) + Dropped(20, (("x is missing", 1), ("y is missing", 4)))
    assert (both.rows, both.used) == (30, 23)
    assert both.reasons == (("x is missing", 3), ("y is missing", 4))
