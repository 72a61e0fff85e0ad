"""Results in the tables of maketables."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest

import memagic
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]

SIMPLE = "melogit c_use age || district:"
SLOPE = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"


def test_the_coefficient_table(fitted: Fitted) -> None:
    fit = fitted(SLOPE, "bangladesh")
    table = fit.__maketables_coef_table__
    assert list(table.index) == list(fit.params.index)
    assert table.index.name == "Coefficient"
    for column, expected in {"b": fit.params, "se": fit.bse, "t": fit.tvalues, "p": fit.pvalues}.items():
        np.testing.assert_array_equal(table[column], expected)
    np.testing.assert_array_equal(table[["ci95l", "ci95u"]], fit.conf_int())
    np.testing.assert_array_equal(table[["ci90l", "ci90u"]], fit.conf_int(0.1))


def test_statistics(fitted: Fitted) -> None:
    fit = fitted(SLOPE, "bangladesh")
    assert fit.__maketables_depvar__ == "c_use"
    found = {key: fit.__maketables_stat__(key) for key in fit.__maketables_default_stat_keys__}
    assert found == {"N": 1934, "groups": "60", "ll": fit.llf, "aic": fit.aic, "bic": fit.bic}
    assert set(found) <= set(fit.__maketables_stat_labels__)
    assert fit.__maketables_stat__("link") == "logit"
    # What it does not have, and what is no single value.
    assert fit.__maketables_stat__("r2") is None
    assert fit.__maketables_stat__("V") is None
    assert fit.__maketables_vcov_info__ == {"vcov_type": "oim", "clustervar": None}


def test_statistics_of_clusters_and_surveys() -> None:
    plain = memagic.run("melogit c_use age, vce(cluster district)", data="bangladesh")
    assert plain.__maketables_vcov_info__ == {"vcov_type": "cluster", "clustervar": "district"}
    assert "groups" not in plain.__maketables_default_stat_keys__
    session = memagic.Session("bangladesh")
    session.run("svyset district")
    survey = session.run("svy: melogit c_use age || district:")
    assert isinstance(survey, MEResults)
    assert survey.__maketables_default_stat_keys__ == ["N", "groups"]


def words_of(text: str) -> str:
    return text.replace("\\_", "_")


@pytest.mark.parametrize("as_column", [True, False])
def test_a_table_of_two_models(fitted: Fitted, as_column: bool) -> None:
    first, second = fitted(SIMPLE, "bangladesh"), fitted(SLOPE, "bangladesh")
    with warnings.catch_warnings():
        # Its own imports are not ours to judge.
        warnings.simplefilter("ignore")
        maketables = pytest.importorskip("maketables")
        models = [fit.for_tables() if as_column else fit for fit in (first, second)]
        given = {} if as_column else {"model_stats": ["N", "ll", "aic", "bic"]}
        text = words_of(maketables.ETable(models, coef_fmt="b:.4f \n (se:.4f)", **given).make("tex"))
    assert "c_use" in text
    for fit in (first, second):
        assert f"{fit.params['age']:.4f}" in text
        assert f"({fit.bse['age']:.4f})" in text
        # As it writes numbers from a thousand on.
        assert f"{fit.llf:,.2f}" in text or f"{fit.llf:,.3f}" in text
    assert f"{second.params['/var(_cons[district])']:.4f}" in text
    assert "1,934" in text
    if as_column:
        assert "Groups & 60 & 60" in text
        assert "Log likelihood" in text
