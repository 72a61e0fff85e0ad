"""The documentation's pages on the Python API: one for the functions, one for results, one for the session.

Signatures and texts are those of the docstrings; Sphinx's autodoc puts them in.
"""

from __future__ import annotations

import inspect

import memagic
from memagic.results import MEResults

__all__ = ["api_pages", "public_functions", "result_members"]

NOT_CALLED = ("load_ipython_extension", "unload_ipython_extension", "__version__", "datasets")
"""What IPython calls, not users, and what is no function; the data sets have a page of their own."""

_NAMES = {
    "Estimates": "params bse tvalues pvalues cov_params conf_int llf nobs df_model aic bic converged e r "
    "table dropped tidy glance",
    "Shown": "replay summary to_text to_html to_latex explore equation diagram plot for_tables shown "
    "for_marginaleffects shown_as beside endog_names",
    "Tests and margins": "test wald_test testparm lincom t_test nlcom testnl contrast pwcompare margins "
    "compare_margins lrtest",
    "Predictions and random effects": "predict random_effects random_effects_se empirical_bayes simulate icc "
    "estat",
    "Checks": "quadchk profile explore_integrand",
    "Files": "save load",
}
GROUPS = {title: names.split() for title, names in _NAMES.items()}


def public_functions() -> list[str]:
    """The functions of `memagic.__all__`, in its order."""
    return [
        name
        for name in memagic.__all__
        if name not in NOT_CALLED and inspect.isfunction(getattr(memagic, name))
    ]


def result_members() -> set[str]:
    """The public methods and properties of a result."""
    return {name for name in dir(MEResults) if not name.startswith("_")}


def api_pages() -> dict[str, str]:
    """The pages in Markdown, by name."""
    contents = "# Python API\n\n```{toctree}\nfunctions\nresults\nsession\n```\n"
    functions = "# Functions\n\nEach runs in a session of its own.\n\n" + "".join(
        _directive("autofunction", f"memagic.{name}") for name in public_functions()
    )
    return {
        "index": contents,
        "functions": functions,
        "results": _results(),
        "session": "# Session and errors\n\n"
        + _directive("autoclass", "memagic.Session", members=True)
        + "".join(_directive("autoexception", f"memagic.{name}") for name in ("CommandError", "Break")),
    }


def _results() -> str:
    known = [name for names in GROUPS.values() for name in names]
    assert set(known) == result_members(), f"not in the groups: {set(known) ^ result_members()}"
    parts = ["# Results\n\n", _directive("autoclass", "memagic.MEResults")]
    for title, names in GROUPS.items():
        parts.append(f"## {title}\n\n")
        for name in names:
            called = callable(getattr(MEResults, name))
            parts.append(_directive("automethod" if called else "autoattribute", f"memagic.MEResults.{name}"))
    return "".join(parts)


def _directive(kind: str, name: str, *, members: bool = False) -> str:
    options = ":members:\n:inherited-members:\n" if members else ""
    return f"```{{eval-rst}}\n.. {kind}:: {name}\n" + _indented(options) + "```\n\n"


def _indented(text: str) -> str:
    return "".join(f"   {line}\n" for line in text.splitlines())
