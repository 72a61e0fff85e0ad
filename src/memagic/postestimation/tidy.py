"""Estimates as data: one row a parameter, or one row a fit, with the columns of R's broom.mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from memagic.results.display_options import check_level
from memagic.results.estimates import Estimates
from memagic.results.inference import rank, table_numbers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["glance", "tidy"]

_EFFECTS = {"coefficient": "fixed", "ancillary": "ancillary"}


def tidy(estimates: Estimates, conf_level: float = 0.95) -> pd.DataFrame:
    """Estimates in rows.

    Parameters
    ----------
    estimates : Estimates
    conf_level : float

    Returns
    -------
    DataFrame
        Columns effect ("fixed", "ancillary" or "ran_pars"), group, term, estimate, std.error, statistic,
        p.value, conf.low and conf.high. Variances and covariances are on their own scale, under the
        names that the table has for them.

    Raises
    ------
    CommandError
        The level is out of range, r(198).
    """
    import pandas as pd

    check_level(100.0 * conf_level)
    numbers = table_numbers(estimates, 100.0 * conf_level)
    groups = ["Residual" if p.role == "residual" else p.group or None for p in estimates.parameters]
    return pd.DataFrame(
        {
            "effect": [_EFFECTS.get(p.role, "ran_pars") for p in estimates.parameters],
            "group": pd.Series(groups, dtype=object),
            "term": [p.label for p in estimates.parameters],
            "estimate": numbers.b,
            "std.error": numbers.se,
            "statistic": numbers.z,
            "p.value": numbers.p,
            "conf.low": numbers.lower,
            "conf.high": numbers.upper,
        }
    )


def glance(estimates: Estimates) -> pd.DataFrame:
    """The fit in one row.

    Returns
    -------
    DataFrame
        Columns nobs, sigma, logLik, AIC, BIC and df.residual; sigma is the standard deviation of a
        Gaussian response's residuals, and nan for other responses.
    """
    import pandas as pd

    ll, df, n = estimates.fit.log_likelihood, rank(estimates), estimates.n_obs
    residual = [k for k, p in enumerate(estimates.parameters) if p.role == "residual"]
    return pd.DataFrame(
        {
            "nobs": [n],
            "sigma": [float(np.sqrt(estimates.b[residual[0]])) if residual else float("nan")],
            "logLik": [ll],
            "AIC": [-2.0 * ll + 2.0 * df],
            "BIC": [-2.0 * ll + df * float(np.log(n))],
            "df.residual": [n - df],
        }
    )
