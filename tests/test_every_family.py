"""Whatever goes by the family or the link knows them all: nothing takes one for another."""

from __future__ import annotations

import numpy as np
import pytest

from memagic.commands import response
from memagic.engine.families import FAMILIES, Family
from memagic.engine.families.links import LINKS
from memagic.models import FAMILY_LINKS, ModelKind, ancillary_names, density
from memagic.postestimation import icc, response_law, symbols
from memagic.results import codec
from memagic.spec.options import DISPERSIONS, OPTIONS

N_CATEGORIES = 4
KINDS = [
    ModelKind(family, link, dispersion, None, "", (), "")
    for family, link in FAMILY_LINKS
    for dispersion in ([one.name for one in DISPERSIONS] if family == "nbinomial" else [""])
]
every_kind = pytest.mark.parametrize(
    "kind", KINDS, ids=lambda kind: "-".join(filter(None, (kind.family, kind.link, kind.dispersion)))
)
# What a family does not have, by the name of its class.
LACKING = {
    "NegativeBinomialConstant": ("deviance", "anscombe"),
    **dict.fromkeys(
        ("OrdinalCloglog", "OrdinalLogit", "OrdinalProbit"), ("variance", "deviance", "anscombe")
    ),
}


def choices(option: str) -> set[str]:
    (spec,) = (spec for spec in OPTIONS if spec.name == option)
    return {choice.name for choice in spec.choices}


def test_the_words_of_family_and_link_are_the_models() -> None:
    assert choices("family") == {family for family, _ in FAMILY_LINKS}
    assert choices("link") == {link for _, link in FAMILY_LINKS} == set(LINKS)


def test_every_class_belongs_to_a_model() -> None:
    assert {type(density(kind, N_CATEGORIES)) for kind in KINDS} == set(FAMILIES)
    assert set(FAMILIES) <= set(codec._LISTED)


@every_kind
def test_the_tables_have_every_family_and_link(kind: ModelKind) -> None:
    family = density(kind, N_CATEGORIES)
    assert family.link is LINKS[kind.link]
    named = len(ancillary_names(kind, N_CATEGORIES)) + family.reports_variance
    assert named == family.n_phi
    assert kind.family in {*response._CHECKS, "binomial"}
    assert (kind.family, kind.link) in icc._LATENT
    assert kind.family in response_law._LAWS
    assert kind.link in {*response_law._LINKS, "identity"}
    if kind.family != "ordinal":
        assert len(symbols._OWN[kind.family, kind.dispersion]) == family.n_phi


@every_kind
def test_what_is_asked_of_a_response(kind: ModelKind) -> None:
    family = density(kind, N_CATEGORIES)
    eta, y, r = np.array([-0.4, 0.3, 1.1]), np.array([1.0, 2.0, 1.0]), 3.0
    phi = np.array([-0.5, 0.2, 0.9]) if kind.family == "ordinal" else np.full(family.n_phi, -0.3)
    mu = family.mean(eta, r, phi)
    found = [mu, family.density(eta, y, r, phi), family.distribution(eta, y, r, phi)]
    found.append(family.draw(eta, r, phi, np.random.default_rng(1)))
    lacking = LACKING.get(type(family).__name__, ())
    for name, arguments in (("variance", (mu,)), ("deviance", (y, mu)), ("anscombe", (y, mu))):
        ask = getattr(family, name)
        if name in lacking:
            with pytest.raises(TypeError, match=type(family).__name__):
                ask(*arguments, r, phi)
        else:
            found.append(ask(*arguments, r, phi))
    for values in found:
        assert values.shape == eta.shape
        assert np.isfinite(values).all()


def test_a_family_without_a_response_is_none() -> None:
    """The methods are asked for by the type, so that a new class without one of them does not pass."""
    asked = {name for protocol in Family.__mro__ for name in vars(protocol) if not name.startswith("_")}
    for family in FAMILIES:
        assert asked <= set(dir(family)), family.__name__
