"""Weights and vce() in the commands: manual examples 5 and 6, copies, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import memagic
from memagic import CommandError
from memagic.results import MEResults

PISA = (
    "meglm pass_read female isei mn_isei high_school college test_lang one_for both_for [pw=pst1s1], "
    "family(bernoulli) link(logit) || id_school:, pweight(wnrschbw)"
)


@pytest.fixture(scope="module")
def pisa(shared_data: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """The data of example 5, with the weights and means that it makes; these are floats of four bytes."""
    frame = shared_data("pisa2000")
    groups = frame.groupby("id_school")
    squares = (frame["w_fstuwt"] ** 2).groupby(frame["id_school"]).transform("sum")
    scaled = frame["w_fstuwt"] * groups["w_fstuwt"].transform("sum") / squares
    mean = groups["isei"].transform("mean")
    return frame.assign(
        pst1s1=scaled.astype("float32").astype(float), mn_isei=mean.astype("float32").astype(float)
    )


@pytest.fixture(scope="module")
def example5(pisa: pd.DataFrame) -> MEResults:
    return memagic.run(PISA, pisa)


def test_example_5(example5: MEResults) -> None:
    e = example5.e
    assert f"{example5.llf:.8g}" == "-197395.98"
    assert (e["N"], e["N_g"].item(), e["g_min"].item(), e["g_max"].item()) == (2069, 148, 1, 28)
    assert (e["vce"], e["vcetype"], e["clustvar"], e["N_clust"]) == ("robust", "Robust", "id_school", 148)
    assert (e["wtype"], e["wexp"], e["pweight2"]) == ("pweight", "= pst1s1", "wnrschbw")
    assert f"{e['chi2']:.2f}" == "88.30"
    assert "chi2_c" not in e
    text = example5.to_text(log=True)
    assert "Grid node 0:  Log pseudolikelihood = " in text
    assert "\nLog pseudolikelihood = -197395.98               Prob > chi2       =     0.0000\n" in text
    line = "(Std. err. adjusted for 148 clusters in id_school)"
    assert f"\n{line:>78}\n" in text
    assert "LR test" not in text


def rows(example: str) -> list[dict[str, Any]]:
    import json
    from pathlib import Path

    reference = Path(__file__).resolve().parents[1] / "reference" / "manual_examples.json"
    examples = json.loads(reference.read_text(encoding="utf-8"))["examples"]
    found: list[dict[str, Any]] = next(one["rows"] for one in examples if one["id"] == example)
    return found


@pytest.mark.parametrize("row", rows("meglm-5"), ids=lambda row: row["name"])
def test_every_number_of_example_5(row: dict[str, Any], example5: MEResults) -> None:
    name = row["name"].replace("var(_cons)[id_school]", "/var(_cons[id_school])")
    column = example5.table[name]
    for ours, theirs in (("b", "b"), ("se", "se"), ("ll", "lo"), ("ul", "hi")):
        assert column[ours] == pytest.approx(row[theirs], rel=1e-5), ours
    if "z" in row:
        assert f"{column['z']:.2f}" == f"{row['z']:.2f}"


def nested(seed: int = 6) -> pd.DataFrame:
    """Three levels with whole weights at each."""
    rng = np.random.default_rng(seed)
    top = np.repeat(np.arange(12), 18)
    low = np.repeat(np.arange(48), [3, 4, 5, 6] * 12)
    x = rng.normal(size=216)
    effect = 0.9 * rng.normal(size=12)[top] + 0.7 * rng.normal(size=48)[low]
    eta = 0.3 + 0.6 * x + effect
    return pd.DataFrame(
        {
            "top": top,
            "low": low,
            "x": x,
            "y": rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))),
            "k": rng.poisson(np.exp(0.5 * eta)),
            "g": eta + rng.normal(size=216),
            "w": rng.integers(1, 4, 216),
            "wlow": rng.integers(1, 3, 48)[low],
            "wtop": rng.integers(1, 4, 12)[top],
        }
    )


def copies(frame: pd.DataFrame, *, rows: bool, low: bool, top: bool) -> pd.DataFrame:
    """Every row, lower group and top group as often as its weight says."""
    parts = []
    for i, row in enumerate(frame.itertuples()):
        for a in range(row.wtop if top else 1):
            for b in range(row.wlow if low else 1):
                for _ in range(row.w if rows else 1):
                    parts.append((i, f"{row.top}.{a}", f"{row.low}.{a}.{b}"))
    index = [part[0] for part in parts]
    return frame.iloc[index].assign(top=[part[1] for part in parts], low=[part[2] for part in parts])


@pytest.mark.parametrize(
    "command", ["melogit y x{} || top:{} || low:{}", "mepoisson k x{} || top:{} || low:{}"]
)
@pytest.mark.parametrize("vce", ["", ", vce(robust)", ", vce(opg)"])
def test_frequency_weights_are_copies(command: str, vce: str) -> None:
    frame = nested()
    weighted = memagic.run(command.format(" [fw=w]", ", fw(wtop)", ", fw(wlow)") + vce, frame)
    copied = memagic.run(command.format("", "", "") + vce, copies(frame, rows=True, low=True, top=True))
    assert weighted.llf == pytest.approx(copied.llf, rel=1e-10)
    np.testing.assert_allclose(weighted.params, copied.params, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(weighted.bse, copied.bse, rtol=1e-5)
    for name in ("N", "ll_c", "N_g", "g_min", "g_avg", "g_max", "chi2", "p", "chi2_c", "N_clust"):
        if name in copied.e:
            np.testing.assert_allclose(weighted.e[name], copied.e[name], rtol=1e-5, err_msg=name)
    ours, theirs = weighted.to_text(), copied.to_text()
    assert ours.split("\n---")[0] == theirs.split("\n---")[0]


@pytest.mark.parametrize(
    ("typed", "which"),
    [
        ("meglm g x [fw=w] || top: || low:", {"rows": True, "low": False, "top": False}),
        ("meglm g x || top: || low:, fw(wlow)", {"rows": False, "low": True, "top": False}),
        ("meglm g x || top:, fw(wtop) || low:", {"rows": False, "low": False, "top": True}),
    ],
)
def test_frequency_weights_of_a_linear_model(typed: str, which: dict[str, bool]) -> None:
    frame = nested()
    weighted = memagic.run(typed, frame)
    copied = memagic.run("meglm g x || top: || low:", copies(frame, **which))
    assert weighted.llf == pytest.approx(copied.llf, rel=1e-10)
    np.testing.assert_allclose(weighted.params, copied.params, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(weighted.bse, copied.bse, rtol=1e-4)


def test_importance_weights_are_frequency_weights_but_for_the_counts() -> None:
    frame = nested()
    one = memagic.run("melogit y x [iw=w] || top:, iw(wtop)", frame)
    other = memagic.run("melogit y x [fw=w] || top:, fw(wtop)", frame)
    assert one.params.equals(other.params)
    assert one.bse.equals(other.bse)
    assert one.llf == other.llf
    assert one.nobs == 216
    assert other.nobs == int((frame["w"] * frame["wtop"]).sum())
    assert "Log likelihood" in one.to_text()


def test_any_expression_weights() -> None:
    frame = nested()
    one = memagic.run("melogit y x [pw=w/2 + 1] || top:", frame)
    other = memagic.run("melogit y x [pw=v] || top:", frame.assign(v=frame["w"] / 2 + 1))
    assert one.params.equals(other.params)
    assert one.e["wexp"] == "= w/2 + 1"


def test_a_constant_in_the_top_weights_changes_no_estimate() -> None:
    frame = nested()
    one = memagic.run("melogit y x [pw=w] || top:, pw(wtop)", frame)
    other = memagic.run("melogit y x [pw=w] || top:, pw(v)", frame.assign(v=31.7 * frame["wtop"]))
    np.testing.assert_allclose(one.params, other.params, rtol=1e-7)
    np.testing.assert_allclose(one.bse, other.bse, rtol=1e-6)


def test_clusters_above_the_highest_level() -> None:
    frame = nested().assign(state=lambda f: "s" + (f["top"] // 3).astype(str))
    result = memagic.run("melogit y x || top:, vce(cluster state)", frame)
    robust = memagic.run("melogit y x || top:, vce(robust)", frame)
    same = memagic.run("melogit y x || top:, vce(cluster top)", frame)
    assert (result.e["vce"], result.e["clustvar"], result.e["N_clust"]) == ("cluster", "state", 4)
    assert "(Std. err. adjusted for 4 clusters in state)" in result.to_text()
    assert result.params.equals(robust.params)
    assert same.bse.equals(robust.bse)
    assert not np.allclose(result.bse, robust.bse)
    np.testing.assert_allclose(
        result.e["V_modelbased"], memagic.run("melogit y x || top:", frame).cov_params(), rtol=1e-10
    )


def test_missing_clusters_are_dropped() -> None:
    frame = nested().assign(state=lambda f: (f["top"] // 3).where(f["top"] != 5))
    assert memagic.run("melogit y x || top:, vce(cl state)", frame).nobs == 216 - 18


def test_without_random_effects_robust_is_that_of_statsmodels() -> None:
    frame = nested()
    result = memagic.run("melogit y x, vce(robust)", frame)
    other = sm.Logit(frame["y"], sm.add_constant(frame["x"])).fit(disp=False, cov_type="HC0", tol=1e-12)
    np.testing.assert_allclose(result.bse, other.bse[["x", "const"]] * np.sqrt(216 / 215), rtol=1e-8)
    assert "adjusted" not in result.to_text()
    assert result.e["vcetype"] == "Robust"


@pytest.mark.parametrize(
    ("text", "rc", "message", "at"),
    [
        ("[pw=w] || top:, vce(oim)", 198, "vce(oim) is not allowed with pweights", "vce(oim)"),
        ("|| top:, vce(cluster low)", 459, "highest-level groups are not nested within low", "cluster low"),
        ("|| top:, vce(cluster lov)", 111, "variable lov not found", "cluster lov"),
        ("[fw=x] || top:", 402, "negative weights encountered", "[fw=x]"),
        ("[pw=w] || top:, pw(w)", 459, "pweight(w) is not constant within groups of top", "pw(w)"),
        ("[pw=w] || top:, fw(wtop)", 198, "only one type of weight may be specified", "fw(wtop)"),
        ("[pw=w] || _all: R.top", 198, "weights are not supported for crossed models", "[pw=w]"),
    ],
)
def test_refused(text: str, rc: int, message: str, at: str) -> None:
    with pytest.raises(CommandError) as raised:
        memagic.run(f"melogit y x {text}", nested())
    error = raised.value
    assert (error.rc, error.message) == (rc, message)
    assert error.text is not None
    assert error.span is not None
    assert error.text[slice(*error.span)] == at


def test_pwscale_makes_the_weights_of_example_5(pisa: pd.DataFrame, example5: MEResults) -> None:
    """Option effective is the manual's "method 1", by hand in single precision there."""
    scaled = memagic.run(PISA.replace("pst1s1", "w_fstuwt") + " pwscale(effective)", pisa)
    np.testing.assert_allclose(scaled.params, example5.params, rtol=1e-5)
    np.testing.assert_allclose(scaled.bse, example5.bse, rtol=1e-5)


@pytest.mark.parametrize("method", ["size", "effective", "gk"])
def test_pwscale(method: str) -> None:
    frame = nested()
    groups = frame.groupby("top")["w"]
    total = groups.transform("sum")
    squares = (frame["w"] ** 2).groupby(frame["top"]).transform("sum")
    by_hand = {
        "size": (frame["w"] * groups.transform("size") / total, frame["wtop"]),
        "effective": (
            frame["w"] * total / squares,
            frame["wtop"],
        ),
        "gk": (pd.Series(1.0, frame.index), groups.transform("mean") * frame["wtop"]),
    }
    low, high = by_hand[method]
    one = memagic.run(f"melogit y x [pw=w], pwscale({method}) || top:, pw(wtop)", frame)
    other = memagic.run("melogit y x [pw=low] || top:, pw(high)", frame.assign(low=low, high=high))
    np.testing.assert_allclose(one.params, other.params, rtol=1e-10)
    np.testing.assert_allclose(one.bse, other.bse, rtol=1e-10)


@pytest.mark.parametrize("text", ["|| top:", "[fw=w] || top:", "[pw=w]", "[pw=w] || top: || low:"])
def test_pwscale_is_for_two_levels(text: str) -> None:
    typed = f"melogit y x {text}, pwscale(size)"
    with pytest.raises(CommandError, match=r"option pwscale\(\) not allowed") as raised:
        memagic.run(typed, nested())
    assert raised.value.span is not None
    assert typed[slice(*raised.value.span)] == "pwscale(size)"
