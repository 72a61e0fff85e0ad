"""Quadrature against an implementation of its own in R: at 7 points, and where more change nothing.

The values are from R code written for this purpose alone (functions of the likelihood, nodes at each
cluster's mode and curvature, numerical optimizers), not from Stata. The log likelihood at 7 points
belongs to intmethod(mcaghermite), the same rule; estimates and standard errors are those with 25
points in one dimension and 15 in two, where both rules have converged. Linear models have a closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import memagic

HERE = Path(__file__).resolve().parent
SharedData = Callable[[str], pd.DataFrame]


@dataclass(frozen=True)
class Reference:
    """A model and what is known of it; a standard error that is not known is None.

    Attributes
    ----------
    points : int
        Of the converged rule; 0 for a closed form, which has none.
    ll : tuple of float
        The log likelihood at 7 points, and at `points` where that is known.
    plain : float, optional
        The log likelihood without random effects.
    """

    name: str
    data: str
    command: str
    points: int
    ll: tuple[float, ...]
    params: dict[str, tuple[float, float | None]]
    plain: float | None = None


EPIL = "seizures treat lbas lbas_trt lage v4 || subject:,"

REFERENCES = (
    # The women of the package's own data, the corrected ones.
    Reference(
        "bangladesh-probit",
        "bangladesh",
        "meprobit c_use i.urban age i.children || district:,",
        25,
        (-1206.5335803,),
        {
            "1.urban": (0.4490191, 0.0727176),
            "_cons": (-1.0279903, 0.0870307),
            "/var(_cons[district])": (0.0798719, 0.0268860),
        },
        plain=-1228.24658,
    ),
    Reference(
        "bangladesh-cloglog",
        "bangladesh",
        "mecloglog c_use i.urban age i.children || district:,",
        25,
        (-1210.1939409,),
        {
            "1.urban": (0.5185505, 0.0863261),
            "_cons": (-1.6577969, 0.1165796),
            "/var(_cons[district])": (0.1152619, 0.0407791),
        },
        plain=-1229.90935,
    ),
    # Pupils in schools: the manual's data, without the level of classes.
    Reference(
        "tvsfpors-ologit",
        "tvsfpors",
        "meologit thk prethk cc##tv || school:,",
        25,
        (-2119.7427656,),
        {
            "prethk": (0.4032892, 0.03886),
            "1.cc": (0.9237907, 0.2040744),
            "1.tv": (0.2749939, 0.1977428),
            "1.cc#1.tv": (-0.4659262, 0.2845969),
            "/cut1": (-0.0884493, None),
            "/cut2": (1.153364, None),
            "/cut3": (2.3319497, None),
            "/var(_cons[school])": (0.0735117, 0.0383109),
        },
    ),
    Reference(
        "tvsfpors-oprobit",
        "tvsfpors",
        "meoprobit thk prethk cc##tv || school:,",
        25,
        (-2121.771523,),
        {
            "prethk": (0.2369804, None),
            "1.cc": (0.5490957, None),
            "1.tv": (0.1695406, None),
            "1.cc#1.tv": (-0.2951837, None),
            "/cut1": (-0.0682011, None),
            "/cut2": (0.67681, None),
            "/cut3": (1.3906495, None),
            "/var(_cons[school])": (0.0288527, 0.0146201),
        },
    ),
    # MASS::epil with lbas = ln(base/4), centred age, and the visit of the fourth period.
    Reference(
        "epil-poisson",
        "epil",
        f"mepoisson {EPIL}",
        25,
        (-665.40651809, -665.40656909),
        {
            "treat": (-0.9332104, 0.4005693),
            "lbas": (0.8834055, 0.1311376),
            "lbas_trt": (0.3387838, 0.2031949),
            "lage": (0.4805675, 0.3470382),
            "v4": (-0.1597696, 0.0545837),
            "_cons": (0.2709432, None),
            "/var(_cons[subject])": (0.2523945, 0.0588744),
        },
    ),
    Reference(
        "epil-nbinomial",
        "epil",
        f"menbreg {EPIL}",
        25,
        (-624.82478687, -624.82478489),
        {
            "v4": (-0.1172417, 0.0871590),
            "/lnalpha": (-2.0019604, 0.236394),
            "/var(_cons[subject])": (0.2167314, 0.0590356),
        },
    ),
    # ordinal::wine.
    Reference(
        "wine-ologit",
        "wine",
        "meologit rating warm contact || judge:,",
        25,
        (-81.532461196, -81.532460711),
        {
            "warm": (3.0618971, None),
            "contact": (1.833431, None),
            "/cut1": (-1.6234935, None),
            "/cut2": (1.512794, None),
            "/cut3": (4.2270543, None),
            "/cut4": (6.0861543, None),
            "/var(_cons[judge])": (1.2877416, 0.9062378),
        },
        plain=-86.4919234,
    ),
    # mlmRev::Mmmec, regions in nations.
    Reference(
        "mmmec-poisson",
        "mmmec",
        "mepoisson deaths uvb, exposure(expected) || nation: || region:,",
        15,
        (-1095.310018, -1095.310018),
        {
            "uvb": (-0.0282042, 0.0114002),
            "_cons": (-0.0639686, 0.1335803),
            "/var(_cons[nation])": (0.1371753, 0.0723393),
            "/var(_cons[nation>region])": (0.0483478, 0.0109077),
        },
        plain=-1723.77273,
    ),
    Reference(
        "mmmec-poisson-square",
        "mmmec",
        "mepoisson deaths c.uvb##c.uvb, exposure(expected) || nation: || region:,",
        15,
        (-1086.899446, -1086.899446),
        {
            "uvb": (0.0057001, 0.0137922),
            "c.uvb#c.uvb": (-0.0058377, 0.0013879),
            "_cons": (0.1289974, None),
            "/var(_cons[nation])": (0.1841884, 0.0945817),
            "/var(_cons[nation>region])": (0.0382643, 0.0087756),
        },
        plain=-1722.97625,
    ),
    # The manual's pigs with random slopes.
    Reference(
        "pig-slope",
        "pig",
        "meglm weight week || id: week",
        0,
        (-869.0382505,),
        {
            "week": (6.209896, 0.0906818),
            "_cons": (19.35561, 0.3979158),
            "/var(week[id])": (0.3680659, None),
            "/var(_cons[id])": (6.7563593, None),
            "/var(e.weight)": (1.5988117, None),
        },
    ),
    Reference(
        "pig-slope-unstructured",
        "pig",
        "meglm weight week || id: week, covariance(unstructured)",
        0,
        (-868.9618532,),
        {
            "week": (6.209896, 0.0910744),
            "_cons": (19.35561, 0.3996385),
            "/var(week[id])": (0.3715246, None),
            "/var(_cons[id])": (6.8233532, None),
            "/cov(week[id],_cons[id])": (-0.0984375, None),
            "/var(e.weight)": (1.5968296, None),
        },
    ),
    # Weeks crossed with pigs. The R code stopped 8e-8 below the maximum of the log likelihood; variances are
    # those of a maximum over the dense normal density, with V = s1 Zw Zw' + s2 Zi Zi' + s3 I.
    Reference(
        "pig-crossed",
        "pig",
        "meglm weight week || _all: R.week || id:",
        0,
        (-1013.823973,),
        {
            "week": (6.209896, 0.0539320),
            "/var(_cons[_all>week])": (0.0849867, None),
            "/var(_cons[id])": (14.836211, None),
            "/var(e.weight)": (4.2973288, None),
        },
    ),
)


def frame_of(name: str, shared_data: SharedData) -> pd.DataFrame:
    path = HERE / "data" / f"{name}.csv"
    if not path.is_file():
        return shared_data(name)
    frame = pd.read_csv(path)
    return frame.assign(lbas_trt=frame["lbas"] * frame["treat"]) if name == "epil" else frame


def close(value: float) -> float:
    """One unit of the last digit but one of seven decimals, about 1e-5 relative."""
    return max(1e-6, 1e-5 * abs(value))


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.name)
def test_agrees_with_code_of_its_own(reference: Reference, shared_data: SharedData) -> None:
    frame = frame_of(reference.data, shared_data)
    rules = [""]
    if reference.points:
        rules = [" intmethod(mcaghermite)", f" intmethod(mcaghermite) intpoints({reference.points})"]
    results = [memagic.run(reference.command + rule, data=frame) for rule in rules]
    assert all(result.converged for result in results)

    # At 7 points the maximum of R's is over nodes that move with the parameters, where ours is a root of
    # the score at nodes that are held: 2e-7 in the log likelihood where the rule is coarsest.
    for result, ll in zip(results, reference.ll, strict=False):
        assert result.llf == pytest.approx(ll, abs=5e-7)
    converged = results[-1]
    if reference.plain is not None:
        # Printed with nine digits.
        assert converged.e["ll_c"] == pytest.approx(reference.plain, abs=1e-5)
    for name, (estimate, se) in reference.params.items():
        assert abs(converged.params[name] - estimate) <= close(estimate), name
        if se is not None:
            assert abs(converged.bse[name] - se) <= close(se), name
