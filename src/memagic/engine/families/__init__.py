"""Conditional densities of the response given the linear predictor.

Each family is one small object: its functions are described in `base`, its link is one of `links`. The
three ordinal families know their number of categories, the others have no data of their own.

Source: manual [ME] meglm, table of `family()` and `link()`; McCullagh and Nelder (1989), chap. 2.
"""

from memagic.engine.families.base import Array, Family, PhiDerivatives
from memagic.engine.families.binomial import BinomialCloglog, BinomialLogit, BinomialProbit
from memagic.engine.families.continuous import GammaLog, GaussianIdentity, GaussianLog
from memagic.engine.families.counts import NegativeBinomialConstant, NegativeBinomialMean, PoissonLog
from memagic.engine.families.ordinal import OrdinalCloglog, OrdinalLogit, OrdinalProbit

FAMILIES: tuple[type[Family], ...] = (
    *(BinomialCloglog, BinomialLogit, BinomialProbit, GammaLog, GaussianIdentity, GaussianLog, PoissonLog),
    *(NegativeBinomialConstant, NegativeBinomialMean, OrdinalCloglog, OrdinalLogit, OrdinalProbit),
)
"""All of them."""

__all__ = [
    "FAMILIES",
    "Array",
    "BinomialCloglog",
    "BinomialLogit",
    "BinomialProbit",
    "Family",
    "GammaLog",
    "GaussianIdentity",
    "GaussianLog",
    "NegativeBinomialConstant",
    "NegativeBinomialMean",
    "OrdinalCloglog",
    "OrdinalLogit",
    "OrdinalProbit",
    "PhiDerivatives",
    "PoissonLog",
]
