"""Stored results: what `e()` and `r()` hold after estimation, under the manual's names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.data.sample import ALL
from memagic.results.estimates import Estimates
from memagic.results.inference import rank, reported_gradient, table_numbers, wald_test
from memagic.results.posted import AnyEstimates, Posted
from memagic.results.report import comparison
from memagic.results.stored_mapping import Stored

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

__all__ = ["coefficient_table", "data_signature", "estimation_results", "scalars_of"]


def scalars_of(estimates: AnyEstimates) -> dict[str, float]:
    """The scalars of `e()`."""
    if isinstance(estimates, Posted):
        return estimates.scalars
    return estimation_results(estimates).scalars


def estimation_results(estimates: Estimates) -> Stored:
    """`e()` after estimation.

    Source: manual [ME] meglm and [ME] melogit, 'Stored results'.
    """
    makers: dict[str, Callable[[], Any]] = {"datasignature": lambda: data_signature(estimates)}
    return Stored({**_scalars(estimates), **_macros(estimates)}, makers | _matrices(estimates))


def _scalars(estimates: Estimates) -> dict[str, float | int]:
    fit, parameters = estimates.fit, estimates.parameters
    roles = [p.role for p in parameters]
    n_free = sum(role != "coefficient" for role in roles)
    scalars: dict[str, float | int] = {
        "N": estimates.n_surveyed,
        "k": len(parameters),
        "k_dv": 1,
        "k_eq": 1 + n_free,
        "k_eq_model": 1,
        "k_f": roles.count("coefficient"),
        "k_r": roles.count("variance") + roles.count("covariance") + roles.count("residual"),
        "k_rs": roles.count("variance") + roles.count("residual"),
        "k_rc": roles.count("covariance"),
        "ll": fit.log_likelihood,
        **_overall_test(estimates),
        "rank": rank(estimates),
        "ic": fit.iterations,
        "rc": 0 if fit.converged else 430,
        "converged": int(fit.converged),
    }
    if estimates.kind.family == "ordinal":
        scalars["k_cat"] = len(estimates.categories)
    test = comparison(estimates)
    if test is not None:
        assert fit.log_likelihood_plain is not None
        scalars |= {"ll_c": fit.log_likelihood_plain, "chi2_c": test.chi2, "df_c": test.df, "p_c": test.p}
    return scalars


def _overall_test(estimates: Estimates) -> dict[str, float | int]:
    """Of all coefficients: the test of the header, F under a survey design."""
    wald, uncertainty = wald_test(estimates), estimates.uncertainty
    if uncertainty.survey is None:
        return {"df_m": wald.df, "chi2": wald.chi2, "p": wald.p}
    f, _, p = uncertainty.joint(wald.chi2, wald.df)
    return {"df_m": wald.df, "df_r": uncertainty.survey.df, "F": f, "p": p}


def _macros(estimates: Estimates) -> dict[str, str | float]:
    command, kind = estimates.command, estimates.kind
    macros: dict[str, str | float] = {
        "cmd": "gsem" if command.name == "meglm" else "meglm",
        "cmd2": command.name,
        "cmdline": command.text.strip(),
        "depvar": command.depvar.variable,
        "covariates": " ".join(c.name for c in estimates.design.fixed if c.factors),
        "model": kind.name,
        "title": kind.title,
        "link": kind.link,
        "family": kind.family,
        "vce": estimates.uncertainty.kind,
        "opt": "moptimize",
        "which": "max",
        "ml_method": "e2",
        "technique": estimates.technique,
        "singularHmethod": "hybrid" if "difficult" in command.options else "m-marquardt",
        "properties": "b V",
        "datasignaturevars": " ".join(_used_variables(estimates)),
    }
    if estimates.uncertainty.survey is None:
        macros["chi2type"] = "Wald"
    macros |= _uncertainty(estimates)
    if estimates.design.levels:
        macros["ivars"] = " ".join(level.grouping.name for level in estimates.design.levels)
        macros["intmethod"] = estimates.intmethod
        if estimates.n_points is not None:
            macros["n_quad"] = estimates.n_points
    for option in ("offset", "exposure"):
        if option in command.fixed.options:
            name = str(command.fixed.options[option].value)
            macros["offset"] = f"ln({name})" if option == "exposure" else name
    if kind.dispersion:
        macros["dispersion"] = kind.dispersion
    if kind.trials is not None:
        macros["binomial"] = kind.trials if isinstance(kind.trials, str) else f"{kind.trials:g}"
    return macros


def _uncertainty(estimates: Estimates) -> dict[str, str | float]:
    """Weights, clusters and the type of the standard errors."""
    found: dict[str, str | float] = {}
    uncertainty, command = estimates.uncertainty, estimates.command
    if uncertainty.word:
        found["vcetype"] = uncertainty.word
    if uncertainty.clusters:
        found |= {"clustvar": uncertainty.clusters, "N_clust": uncertainty.n_clusters}
    survey = uncertainty.survey
    if survey is not None:
        # The weights are those of the design, not of the command.
        found |= {"prefix": "svy", "N_strata": survey.n_strata, "N_psu": survey.n_psu}
        found["N_pop"] = survey.population
        if survey.n_subpopulation is not None and survey.subpopulation is not None:
            found |= {"N_sub": survey.n_subpopulation, "N_subpop": survey.subpopulation}
        return found
    weight = command.fixed.weight
    if estimates.design.weights is not None:
        found["wtype"] = estimates.design.weights.kind
    if weight is not None:
        found["wexp"] = f"= {command.text[slice(*weight.expression.span)]}"
    levels = estimates.design.levels
    for number, level in enumerate(reversed(levels), start=2):
        for equation in command.random:
            for kind in ("fweight", "iweight", "pweight"):
                if equation.level == level.grouping.name and kind in equation.options:
                    found[f"{kind}{number}"] = str(equation.options[kind].value)
    return found


def _used_variables(estimates: Estimates) -> list[str]:
    """The variables that the estimates depend on."""
    design, command, kind = estimates.design, estimates.command, estimates.kind
    names = [command.depvar.variable]
    columns = [*design.fixed, *(c for level in design.levels for c in level.columns)]
    names += [name for column in columns for name, _ in column.factors]
    options = command.fixed.options
    names += [str(options[name].value) for name in ("offset", "exposure") if name in options]
    names += [kind.trials] if isinstance(kind.trials, str) else []
    names += [level.grouping.name for level in design.levels if level.grouping.name != ALL]
    return list(dict.fromkeys(names))


def data_signature(estimates: Estimates) -> str:
    """Observations, variables and a checksum of the arrays that the estimates depend on."""
    if estimates.facts is not None:
        return estimates.facts.signature
    design = estimates.design
    digest = hashlib.blake2b(digest_size=8)
    arrays = [design.y, design.x, design.offset, np.atleast_1d(design.trials)]
    for level in design.levels:
        arrays += [level.z, level.grouping.codes.astype(float)]
        arrays += [e.codes.astype(float) for e in level.equations if e.codes is not None]
    for array in arrays:
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    return f"{estimates.n_obs}:{len(_used_variables(estimates))}:{digest.hexdigest()}"


def _matrices(estimates: Estimates) -> dict[str, Callable[[], Any]]:
    fit, design = estimates.fit, estimates.design
    makers: dict[str, Callable[[], Any]] = {
        "b": lambda: _row(estimates, estimates.b, "y1"),
        "V": lambda: _covariance(estimates),
        "gradient": lambda: _row(estimates, reported_gradient(estimates), "r1"),
        "ilog": lambda: np.array([fit.log[-20:]]),
        "sample": lambda: _sample(estimates),
    }
    if estimates.kind.family == "ordinal":
        makers["cat"] = lambda: np.array([estimates.categories])
    if design.levels:
        counts = estimates.group_counts
        makers |= {
            "N_g": lambda: np.array([[count.n for count in counts]]),
            "g_min": lambda: np.array([[count.minimum for count in counts]]),
            "g_avg": lambda: np.array([[count.average for count in counts]]),
            "g_max": lambda: np.array([[count.maximum for count in counts]]),
        }
    if estimates.v_modelbased is not None:
        names = [p.name for p in estimates.parameters]
        makers["V_modelbased"] = lambda: _frame(estimates.v_modelbased, names, names)
    if "noconstant" in estimates.command.fixed.options or estimates.constraints is not None:
        makers["Cns"] = lambda: _constraints(estimates)
    return makers


def _frame(values: Any, rows: list[str], columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(values, index=rows, columns=columns)


def _row(estimates: Estimates, of_parameters: Array, name: str) -> pd.DataFrame:
    """One row with the columns of e(b)."""
    stripes, places = _stripes(estimates)
    values = np.zeros(len(stripes))
    values[places] = of_parameters
    return _frame([values], [name], stripes)


def _covariance(estimates: Estimates) -> pd.DataFrame:
    stripes, places = _stripes(estimates)
    values = np.zeros((len(stripes), len(stripes)))
    values[np.ix_(places, places)] = estimates.v
    return _frame(values, stripes, stripes)


def _sample(estimates: Estimates) -> pd.Series:
    import pandas as pd

    design = estimates.design
    return pd.Series(design.sample.copy(), index=design.index, name="e(sample)")


def _constraints(estimates: Estimates) -> pd.DataFrame:
    """One row a constraint, R and r."""
    names = [p.name for p in estimates.parameters]
    rows = np.empty((0, len(names) + 1))
    if estimates.constraints is not None:
        rows = np.column_stack([estimates.constraints.matrix, estimates.constraints.values])
    columns = [*names, "_Cns"]
    if "noconstant" in estimates.command.fixed.options:
        # The constant is no parameter of the fit, but the manual has it constrained.
        rows = np.insert(rows, len(names), 0.0, axis=1)
        held = np.zeros((1, len(names) + 2))
        held[0, -2] = 1.0
        rows, columns = np.vstack([held, rows]), [*names, "_cons", "_Cns"]
    return _frame(rows, [f"r{k + 1}" for k in range(len(rows))], columns)


def _stripes(estimates: Estimates) -> tuple[list[str], NDArray[np.intp]]:
    """The columns of e(b), what is held at zero among them, and where the parameters are.

    Source: [U] 11.4.3; the constant that `noconstant` leaves out is only in e(Cns).
    """
    columns = estimates.design.with_bases or estimates.design.fixed
    columns = tuple(c for c in columns if c.factors or c.state == "estimated")
    held = [k for k, column in enumerate(columns) if column.state != "estimated"]
    names = [column.stripe for column in columns]
    names += [p.name for p in estimates.parameters if p.role != "coefficient"]
    return names, np.setdiff1d(np.arange(len(names)), held)


def coefficient_table(estimates: Estimates, level: float, exponentiated: bool) -> pd.DataFrame:
    """`r(table)`: one column a parameter.

    Returns
    -------
    DataFrame
        Rows b, se, z, pvalue, ll, ul, df, crit, eform.
    """
    import pandas as pd

    numbers = table_numbers(estimates, level, exponentiated)
    k = len(estimates.parameters)
    rows = {
        "b": numbers.b,
        "se": numbers.se,
        "z": numbers.z,
        "pvalue": numbers.p,
        "ll": numbers.lower,
        "ul": numbers.upper,
        "df": np.full(k, np.nan),
        "crit": np.full(k, numbers.critical),
        "eform": numbers.exponentiated.astype(float),
    }
    return pd.DataFrame(list(rows.values()), index=list(rows), columns=[p.name for p in estimates.parameters])
