r"""The examples of the help, which are run by the tests: one table, an entry a topic.

An example is the cells of a notebook in their order, complete from the data on.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EXAMPLES", "Example"]


@dataclass(frozen=True, slots=True)
class Example:
    """What an example shows, and its cells.

    Attributes
    ----------
    about : str
        A few words; nothing where the cells say enough.
    cells : tuple of str
        They run one after the other in a notebook that has the extension.
    """

    about: str
    cells: tuple[str, ...]

    @property
    def code(self) -> str:
        """All cells; a blank line sets off those of several lines."""
        gap = "\n\n" if any("\n" in cell for cell in self.cells) else "\n"
        return gap.join(self.cells)


def _example(about: str, *cells: str) -> Example:
    return Example(about, cells)


_FRAME = "import pandas as pd\ndf = pd.DataFrame({'y': [0, 1, 1], 'x': [2.5, 3.1, 4.0]})"
_PANEL = (
    "import numpy as np, pandas as pd\n"
    "rng = np.random.default_rng(1)\n"
    "firms = pd.DataFrame({'firm': np.repeat(range(20), 6), 'year': [*range(2001, 2007)] * 20})\n"
    "firms['x'] = rng.normal(size=120)\n"
    "firms['y'] = firms.x + rng.normal(size=20)[firms.firm] + rng.normal(size=120)"
)
_INTERCEPT = "%quietly melogit c_use age || district:"

_FITTED = ("%use bangladesh", "%quietly melogit c_use i.urban age i.children || district:")

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "meglm": (
        _example(
            "A linear model with an intercept for each school",
            "%use fifeschool",
            "%meglm attain vrq i.sex || sid:",
        ),
        _example(
            "Odds ratios; districts differ in their intercepts and in what living in a town means",
            "%use bangladesh",
            "%meglm c_use i.urban age || district: i.urban, covariance(unstructured) family(bernoulli) or",
        ),
    ),
    "melogit": (
        _example(
            "A random intercept and a random coefficient; then the same estimates as odds ratios",
            "%use bangladesh",
            "%melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)",
            "%melogit, or",
        ),
        _example(
            "The command in several lines, its result in a variable",
            "%%melogit bangladesh -o fit\nc_use age if children > 0   // mothers\n    || district:",
            "fit.params",
        ),
    ),
    "meprobit": (_example("", "%use bangladesh", "%meprobit c_use i.urban age || district:"),),
    "mecloglog": (_example("", "%use bangladesh", "%mecloglog c_use i.urban age || district:"),),
    "meologit": (_example("", "%use bangladesh", "%meologit children i.urban age || district:, or"),),
    "meoprobit": (_example("", "%use bangladesh", "%meoprobit children i.urban age || district:"),),
    "mepoisson": (_example("", "%use bangladesh", "%mepoisson children i.urban age || district:, irr"),),
    "menbreg": (_example("", "%use fifeschool", "%menbreg attain i.sex || sid:, irr"),),
    "use": (
        _example("An example data set", "%use bangladesh", "%use"),
        _example("A DataFrame of the notebook", _FRAME, "%use df"),
    ),
    "tsset": (
        _example(
            "Last year's x explains y",
            _PANEL,
            "%use firms",
            "%tsset firm year",
            "%meglm y L.x || firm:",
        ),
    ),
    "predict": (
        _example(
            "Probabilities, and the districts' effects with their standard errors",
            "%use bangladesh",
            _INTERCEPT,
            "%predict p",
            "%predict u, reffects reses(s)",
            "%predict pm, marginal",
        ),
    ),
    "estat": (_example("", "%use bangladesh", _INTERCEPT, "%estat icc", "%estat sd", "%estat ic"),),
    "svyset": (_example("", "%use bangladesh", "%svyset district", "%svyset"),),
    "svy": (
        _example(
            "All women, and those in towns",
            "%use bangladesh",
            "%svyset district",
            "%svy: melogit c_use age || district:",
            "%svy, subpop(urban): melogit c_use age || district:",
        ),
    ),
    "quadchk": (_example("", "%use bangladesh", _INTERCEPT, "%quadchk", "%quadchk -o check 5 9"),),
    "test": (_example("", *_FITTED, "%test 1.urban = age", "%test 1.urban, accumulate"),),
    "testparm": (_example("", *_FITTED, "%testparm i.children"),),
    "lincom": (_example("", *_FITTED, "%lincom 1.urban + 10*age, or"),),
    "nlcom": (
        _example(
            "The variance as a standard deviation",
            *_FITTED,
            "%nlcom (sd: sqrt(_b[/var(_cons[district])]))",
        ),
    ),
    "testnl": (_example("", *_FITTED, "%testnl exp(_b[1.urban]) = 2"),),
    "contrast": (_example("", *_FITTED, "%contrast r.children, mcompare(sidak)"),),
    "pwcompare": (_example("", *_FITTED, "%pwcompare children, effects mcompare(bonferroni)"),),
    "margins": (
        _example("", *_FITTED, "%margins 1.urban, at(age=(-10 0 10))", "%margins, dydx(*)"),
        _example(
            "Margins as estimates",
            *_FITTED,
            "%margins urban, expression(100*predict(mu)) post",
            "%lincom 1.urban - 0.urban",
        ),
        _example("Margins compared", *_FITTED, "%margins children, pwcompare(effects) mcompare(sidak)"),
    ),
    "marginsplot": (
        _example("", *_FITTED, "%margins urban, at(age=(-10 0 10))", "%marginsplot"),
        _example(
            "Panels",
            *_FITTED,
            "%margins urban, at(age=(-10 0 10))",
            "%marginsplot, bydimension(urban) recastci(rarea)",
        ),
    ),
    "lrtest": (
        _example(
            "A random coefficient against none",
            *_FITTED,
            "%estimates store r_int",
            "%melogit c_use i.urban age i.children || district: i.urban",
            "%lrtest r_int, mixture",
        ),
    ),
    "estimates": (
        _example(
            "Two models side by side",
            "%use bangladesh",
            _INTERCEPT,
            "%estimates store r_int",
            "%quietly melogit c_use i.urban age || district:",
            "%estimates store r_urban",
            "%estimates table r_int r_urban, se stats(ll N aic bic)",
            "%estimates stats r_int r_urban",
            "%estimates restore r_int",
        ),
        _example(
            "A file, from which another notebook goes on",
            "%use bangladesh",
            _INTERCEPT,
            "%estimates save r_int, replace",
            "%estimates use r_int",
            "%melogit, or",
        ),
    ),
    "constraint": (
        _example(
            "Two and three or more children make the same difference",
            "%use bangladesh",
            "%constraint 1 2.children = 3.children",
            "%melogit c_use age i.children || district:, constraints(1)",
            "%constraint dir",
        ),
    ),
    "matrix": (
        _example(
            "The variance of the intercept is held at .2, that of the coefficient is estimated",
            "%use bangladesh",
            "%matrix A = (.2, 0 \\ 0, .)",
            "%melogit c_use i.urban || district: i.urban, covariance(fixed(A))",
            "%matrix list A",
        ),
    ),
    "prefixes": (
        _example(
            "One model for women in the country and one for those in towns",
            "%use bangladesh",
            "%bysort urban: melogit c_use age || district:",
        ),
        _example(
            "Go on after an error, and see which",
            "%use bangladesh",
            "%capture noisily melogit c_use income || district:",
            "_rc",
        ),
    ),
    "me": (
        _example(
            "",
            "%%me\n"
            "use bangladesh\n"
            "quietly melogit c_use age || district:     // a comment\n"
            "estimates store r_int\n"
            "melogit c_use age ///\n"
            "    || district: i.urban, covariance(unstructured)\n"
            "estimates table r_int .",
        ),
    ),
    "set": (
        _example("", "%set varabbrev off", "%config MeMagic.varabbrev", "%config MeMagic.tracebacks = True"),
    ),
    "help": (_example("", "%help", "%help melogit"),),
}
