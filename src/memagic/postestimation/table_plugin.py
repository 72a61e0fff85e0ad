"""What maketables asks of a result, to set several side by side in LaTeX, Word, HTML or Typst.

Source: maketables, PLUGIN_EXTRACTOR_FORMAT.md. Attributes alone: the package is not imported. It takes
whatever has params, bse and pvalues for a result of statsmodels, before it looks for these attributes:
`for_tables` has nothing else, so that labels, groups and statistics come through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memagic.postestimation.tidy import glance
from memagic.results.estimates import Estimates
from memagic.results.inference import confidence_limits, table_numbers
from memagic.results.stored import estimation_results

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["InTables", "TableColumn"]

_LABELS = {"N": "Observations", "ll": "Log likelihood", "aic": "AIC", "bic": "BIC", "groups": "Groups"}


class InTables:
    """The attributes that maketables knows a model by.

    Attributes
    ----------
    estimates : Estimates
    """

    estimates: Estimates

    def for_tables(self) -> TableColumn:
        """The result as a column of ``maketables.ETable([fit.for_tables(), ...])``."""
        return TableColumn(self.estimates)

    @property
    def endog_names(self) -> str:
        """The dependent variable, under statsmodels' name for it."""
        return self.estimates.command.depvar.variable

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        """Rows of `params`, with columns b, se, t, p, ci95l, ci95u, ci90l and ci90u."""
        import pandas as pd

        estimates = self.estimates
        numbers, narrow = table_numbers(estimates), confidence_limits(estimates, 90.0)
        return pd.DataFrame(
            {
                "b": numbers.b,
                "se": numbers.se,
                "t": numbers.z,
                "p": numbers.p,
                "ci95l": numbers.lower,
                "ci95u": numbers.upper,
                "ci90l": narrow[:, 0],
                "ci90u": narrow[:, 1],
            },
            index=pd.Index([parameter.name for parameter in estimates.parameters], name="Coefficient"),
        )

    def __maketables_stat__(self, key: str) -> float | str | None:
        """A scalar or word of `e()`, aic, bic, or the numbers of groups, highest level first."""
        if key in ("aic", "bic"):
            return float(glance(self.estimates)[key.upper()].iloc[0])
        if key == "groups":
            return ", ".join(f"{count.n:,}" for count in self.estimates.group_counts) or None
        if key == "se_type":
            return self.estimates.uncertainty.kind
        found: Any = estimation_results(self.estimates)
        value = found.get(key)
        return value if isinstance(value, int | float | str) else None

    @property
    def __maketables_depvar__(self) -> str:
        return self.endog_names

    @property
    def __maketables_vcov_info__(self) -> dict[str, str | None]:
        uncertainty = self.estimates.uncertainty
        return {"vcov_type": uncertainty.kind, "clustervar": uncertainty.clusters or None}

    @property
    def __maketables_stat_labels__(self) -> dict[str, str]:
        return dict(_LABELS)

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        """Groups for a model that has some; no information criteria under a survey design."""
        keys = ["N"] if not self.estimates.design.levels else ["N", "groups"]
        return keys if self.estimates.uncertainty.survey is not None else [*keys, "ll", "aic", "bic"]


@dataclass(frozen=True, eq=False)
class TableColumn(InTables):
    """A result with what maketables asks of it, and nothing else."""

    estimates: Estimates
