"""svyset and svy: manual example 6, R's survey, and designs that must come to the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from memagic import CommandError, Session
from memagic.results import MEResults

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
SURVEY = pd.read_csv(REFERENCE / "data" / "survey.csv")
BY_R: list[dict[str, Any]] = json.loads((REFERENCE / "survey.json").read_text(encoding="utf-8"))
DESIGNS = {
    "unstratified": "svyset psu [pw=w]",
    "stratified": "svyset psu [pw=w], strata(stratum)",
    "corrected": "svyset psu [pw=w], strata(stratum) fpc(fpc)",
}
MULTILEVEL = "svy: melogit y x || psu:"


def surveyed(design: str, command: str, frame: pd.DataFrame = SURVEY) -> MEResults:
    session = Session(frame)
    session.run(design)
    result = session.run(command)
    assert isinstance(result, MEResults)
    return result


@pytest.fixture(scope="module")
def example6(shared_data: Callable[[str], pd.DataFrame]) -> MEResults:
    frame = shared_data("pisa2000")
    groups = frame.groupby("id_school")
    squares = (frame["w_fstuwt"] ** 2).groupby(frame["id_school"]).transform("sum")
    scaled = frame["w_fstuwt"] * groups["w_fstuwt"].transform("sum") / squares
    frame = frame.assign(
        pst1s1=scaled.astype("float32").astype(float),
        mn_isei=groups["isei"].transform("mean").astype("float32").astype(float),
    )
    command = (
        "svy: meglm pass_read female isei mn_isei high_school college test_lang one_for both_for, "
        "family(bernoulli) link(logit) || id_school:"
    )
    return surveyed("svyset id_school, weight(wnrschbw) || _n, weight(pst1s1)", command, frame)


def test_the_header_of_example_6(example6: MEResults) -> None:
    expected = """\
Survey: Mixed-effects GLM

Number of strata =   1                           Number of obs   =       2,069
Number of PSUs   = 148                           Population size =  346,373.74
                                                 Design df       =         147
                                                 F(8, 140)       =       10.51
                                                 Prob > F        =      0.0000
------------------------------------------------------------------------------
             |             Linearized
   pass_read | Coefficient  std. err.      t    P>|t|     [95% conf. interval]
-------------+----------------------------------------------------------------
"""
    assert example6.to_text().startswith(expected)
    assert example6.to_text(log=True).startswith("(running meglm on estimation sample)\n\nSurvey:")
    e = example6.e
    assert (e["prefix"], e["vce"], e["vcetype"]) == ("svy", "linearized", "Linearized")
    assert (e["N_strata"], e["N_psu"], e["df_r"]) == (1, 148, 147)
    # The test of the header, by what it is made of: [SVY] svy postestimation.
    coefficients = example6.params.index[:8]
    b, v = example6.params[coefficients], example6.cov_params().loc[coefficients, coefficients]
    f = (147 - 8 + 1) / (8 * 147) * float(b @ np.linalg.solve(v, b))
    assert e["F"] == pytest.approx(f, rel=1e-9)
    assert e["p"] == pytest.approx(scipy.stats.f.sf(f, 8, 140), rel=1e-9)
    assert not {"chi2", "chi2type"} & set(e)


def test_every_number_of_example_6(example6: MEResults) -> None:
    examples = json.loads((REFERENCE / "manual_examples.json").read_text(encoding="utf-8"))["examples"]
    (example,) = [one for one in examples if one["id"] == "meglm-6"]
    table = example6.table
    for row in example["rows"]:
        column = table[row["name"].replace("var(_cons)[id_school]", "/var(_cons[id_school])")]
        for ours, theirs in (("b", "b"), ("se", "se"), ("ll", "lo"), ("ul", "hi")):
            assert column[ours] == pytest.approx(row[theirs], rel=1e-5), (row["name"], ours)


@pytest.mark.parametrize(
    "values", BY_R, ids=lambda v: f"{v['design']}-{v['depvar']}-{'sub' if v['subpopulation'] else 'all'}"
)
def test_the_design_based_errors_of_r(values: dict[str, Any]) -> None:
    command = "melogit y x" if values["depvar"] == "y" else "mepoisson k x"
    prefix = "svy, subpop(inside): " if values["subpopulation"] else "svy: "
    result = surveyed(DESIGNS[values["design"]], prefix + command)
    np.testing.assert_allclose(result.params, values["b"], rtol=1e-7)
    np.testing.assert_allclose(result.bse, values["se"], rtol=1e-6)


def test_one_stage_without_strata_is_robust() -> None:
    frame = SURVEY.assign(one=2.0 + SURVEY["psu"] % 3)
    svy = surveyed("svyset psu, weight(one) || _n, weight(w)", MULTILEVEL, frame)
    robust = Session(frame).run("melogit y x [pw=w] || psu:, pw(one)")
    assert isinstance(robust, MEResults)
    assert svy.params.equals(robust.params)
    np.testing.assert_allclose(svy.bse, robust.bse, rtol=1e-7)


def test_a_condition_says_what_a_subpopulation_says_but_for_the_variance() -> None:
    one = surveyed(DESIGNS["stratified"], "svy, subpop(if x > -.4): melogit y x")
    other = surveyed(DESIGNS["stratified"], "svy, subpop(inside): melogit y x")
    assert one.params.equals(other.params)
    assert one.bse.equals(other.bse)
    text = one.to_text()
    total, within = SURVEY["w"].sum(), SURVEY["w"][SURVEY["inside"] == 1].sum()
    assert f"Population size = {total:>11,.2f}" in text
    assert f"Subpop. no. obs = {int(SURVEY['inside'].sum()):>11,}" in text
    assert f"Subpop. size    = {within:>11,.2f}" in text


def test_the_observations_of_a_subpopulation_are_those_of_the_survey() -> None:
    """Number of obs and e(N) are of the whole survey; what is estimated from is the subpopulation."""
    frame = SURVEY.assign(z=SURVEY["x"].where((SURVEY["inside"] == 0) | (SURVEY.index % 7 > 0)))
    inside = int((SURVEY["inside"] == 1).sum())
    for text, lost in (("x", 0), ("z", frame["z"].isna().sum())):
        found = surveyed(DESIGNS["stratified"], f"svy, subpop(inside): melogit y {text}", frame)
        n = len(frame) - lost
        assert (found.e["N"], found.e["N_sub"], found.nobs) == (n, inside - lost, inside - lost)
        shown = found.to_text()
        assert f"Number of obs   = {n:>11,}" in shown
        assert f"Subpop. no. obs = {inside - lost:>11,}" in shown
        table = Session(frame)
        table.stored["one"] = found
        assert f"{n}" in str(table.run("estimates table one, stats(N)")).splitlines()[-2]
    whole = surveyed(DESIGNS["stratified"], "svy: melogit y x")
    assert whole.e["N"] == whole.nobs == len(SURVEY)


def test_units_without_members_of_the_subpopulation_count() -> None:
    """A subpopulation in few units: the others are zeros, which a condition would drop."""
    frame = SURVEY.assign(few=(SURVEY["psu"] % 10 < 4).astype(int))
    whole = surveyed(DESIGNS["stratified"], "svy, subpop(few): melogit y x", frame)
    dropped = surveyed(DESIGNS["stratified"], "svy: melogit y x if few", frame)
    assert whole.params.equals(dropped.params)
    assert (whole.e["N_psu"], dropped.e["N_psu"]) == (40, 16)
    assert not np.allclose(whole.bse, dropped.bse, rtol=1e-3)


def test_a_missing_value_of_the_model_matters_only_within_the_subpopulation() -> None:
    frame = SURVEY.assign(z=SURVEY["x"].where(SURVEY["x"] > -0.4))
    result = surveyed(DESIGNS["stratified"], "svy, subpop(inside): melogit y z", frame)
    assert result.e["N_psu"] == 40
    assert result.params["z"] == pytest.approx(
        surveyed(DESIGNS["stratified"], "svy, subpop(inside): melogit y x").params["x"], rel=1e-10
    )


@pytest.mark.parametrize("single", ["missing", "certainty", "scaled", "centered"])
def test_a_stratum_with_one_unit(single: str) -> None:
    frame = SURVEY.assign(stratum=np.where(SURVEY["psu"] == 3, 9, SURVEY["stratum"]))
    design = f"svyset psu [pw=w], strata(stratum) singleunit({single})"
    result = surveyed(design, "svy: melogit y x", frame)
    without = surveyed("svyset psu [pw=w], strata(stratum) single(certainty)", "svy: melogit y x", frame)
    if single == "missing":
        assert result.bse.isna().all()
        text = result.to_text(log=True)
        assert "Note: Missing standard errors because of stratum with single sampling unit." in text
        assert "          x |   .6830334          .        .       .            .           ." in text
    elif single == "scaled":
        np.testing.assert_allclose(result.bse, without.bse * np.sqrt(5 / 4), rtol=1e-10)
    elif single == "centered":
        assert (result.bse > without.bse).all()


def test_degrees_of_freedom() -> None:
    result = surveyed(DESIGNS["stratified"] + " dof(11)", "svy: melogit y x")
    assert result.e["df_r"] == 11
    assert surveyed(DESIGNS["stratified"], "svy, dof(7): melogit y x").e["df_r"] == 7
    assert surveyed(DESIGNS["stratified"], "svy: melogit y x").e["df_r"] == 36


def test_a_rate_and_a_count_are_the_same_correction() -> None:
    rate = SURVEY.assign(fpc=10.0 / SURVEY["fpc"])
    one = surveyed(DESIGNS["corrected"], "svy: melogit y x")
    other = surveyed(DESIGNS["corrected"], "svy: melogit y x", rate)
    np.testing.assert_allclose(one.bse, other.bse, rtol=1e-12)


def test_the_report() -> None:
    session = Session()
    assert str(session.run("svyset")) == "(no survey design set)"
    session.run("svyset psu, strata(stratum) fpc(fpc) weight(one) || _n, weight(w) singleunit(cert)")
    assert (
        str(session.run("svyset"))
        == """\
Sampling weights: <none>
             VCE: linearized
     Single unit: certainty
        Strata 1: stratum
 Sampling unit 1: psu
           FPC 1: fpc
        Weight 1: one
        Strata 2: <one>
 Sampling unit 2: <observations>
           FPC 2: <zero>
        Weight 2: w"""
    )
    assert str(session.run("svyset, clear")) == "(no survey design set)"


@pytest.mark.parametrize(
    ("design", "command", "rc", "message", "at"),
    [
        ("svyset", "svy: melogit y x", 119, "data not set up for svy, use svyset", None),
        (
            "svyset psu [pw=w]",
            MULTILEVEL,
            459,
            "survey final weights not allowed with multilevel models",
            None,
        ),
        (
            "svyset psu, weight(w)",
            "svy: melogit y x || stratum:",
            459,
            "weights of psu have no level in the model",
            "stratum",
        ),
        (
            "svyset psu",
            "svy: melogit y x || stratum:",
            459,
            "highest-level groups are not nested within the primary sampling units",
            "stratum",
        ),
        (
            "svyset psu",
            "svy: melogit y x, vce(robust)",
            198,
            "option vce() not allowed with the svy prefix",
            "vce(robust)",
        ),
        ("svyset psu", "svy: melogit y x [pw=w]", 198, "weights not allowed with the svy prefix", "[pw=w]"),
        (
            "svyset psu",
            "svy: melogit y x || psu:, pw(w)",
            198,
            "option pweight() not allowed with the svy prefix",
            "pw(w)",
        ),
        ("svyset psu, strat(stratum)", "svy melogit y x", 198, "invalid 'melogit'", "melogit"),
        ("svyset psu", "svy, subpop(in): melogit y x", 111, "variable in not found", "in"),
        ("svyset psu, fpc(x)", "svy: melogit y x", 464, "fpc(x) is not constant within strata", None),
        ("svyset psu, strata(stratum) fpc(stratum)", "svy: melogit y x", 462, None, None),
        ("svyset psx", "", 111, "variable psx not found", "psx"),
        ("svyset psu, weigth(w)", "", 198, "option weigth() not allowed", "weigth"),
        ("svyset psu, weight(w + 1)", "", 198, "invalid 'w'", "w"),
        ("svyset psu, single(x)", "", 198, "singleunit(x) not allowed", "single"),
        ("svyset psu || ssu [pw=w]", "", 101, "weights not allowed", "[pw=w]"),
        ("svyset psu, vce(brr)", "", 198, "vce(brr) not allowed", "vce"),
        ("svyset psu, dof(0)", "", 198, "dof() needs a positive integer", "0"),
    ],
)
def test_refused(design: str, command: str, rc: int, message: str | None, at: str | None) -> None:
    session = Session(SURVEY)
    if command:
        session.run(design)
    with pytest.raises(CommandError) as raised:
        session.run(command or design)
    error = raised.value
    assert error.rc == rc
    assert message is None or error.message == message
    if at is not None:
        assert error.text is not None
        assert error.span is not None
        assert error.text[slice(*error.span)] == at
