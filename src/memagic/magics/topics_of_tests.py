"""The help on the commands that test and combine estimates, and on margins."""

from __future__ import annotations

from memagic.magics.topic import Section, Topic

__all__ = ["TEST_TOPICS"]

_AFTER: Section = "After a fit"

TEST_TOPICS: dict[str, Topic] = {
    "test": Topic(
        _AFTER,
        "Wald tests of linear hypotheses about the last estimates",
        (
            ("%test 1.urban", "a coefficient is zero"),
            ("%test 1.urban age", "several are, together"),
            ("%test 1.urban = age", "an equation; also 2*age - 1.urban = 3"),
            ("%test (age = 0) (/cut1 = 2)", "several, together"),
            ("%test /cov(1.urban[district],_cons[district])", ""),
            ("%test", "all coefficients but the constant"),
        ),
        notes=(
            "Options: accumulate adds to the last test; mtest or mtest(bonferroni | holm | sidak) "
            "tests each hypothesis alone, too; coef shows the estimates under the hypotheses; df(#) "
            "refers an F to # degrees of freedom; nosvyadjust, under svy, leaves F unadjusted.",
        ),
    ),
    "testparm": Topic(
        _AFTER,
        "Test that all coefficients of some terms are zero, together",
        (
            ("%testparm i.children", ""),
            ("%testparm i.cc#i.tv", ""),
            ("%testparm i.children, equal", "or that they are equal to each other"),
        ),
    ),
    "lincom": Topic(
        _AFTER,
        "A linear combination of the last estimates, with its standard error and limits",
        (
            ("%lincom 1.urban - 2*age", ""),
            ("%lincom 1.urban + 2.children, or", "as an odds ratio; also irr, eform"),
            ("%lincom _cons + 5*age, level(90)", ""),
        ),
    ),
    "nlcom": Topic(
        _AFTER,
        "Functions of the last estimates by the delta method, with exact derivatives",
        (
            ("%nlcom _b[1.urban]/_b[age]", "also [c_use]age for _b[age]"),
            ("%nlcom (icc: exp(_b[a])/(1 + exp(_b[a]))) (or: exp(_b[age]))", "several, with names"),
        ),
        notes=(
            "Option level(#). Functions: exp, ln, sqrt, logit, invlogit, abs, min, max, cond and the like.",
        ),
    ),
    "testnl": Topic(
        _AFTER,
        "Wald tests of nonlinear hypotheses about the last estimates",
        (
            ("%testnl _b[1.urban]*_b[age] = 1", ""),
            ("%testnl (exp(_b[age]) = 1) (_b[1.urban]^2 = .5)", ""),
        ),
    ),
    "margins": Topic(
        _AFTER,
        "Margins of the response or its derivatives after the last estimates",
        (
            ("%margins urban", "mean response at each level, averaged over the data and the random effects"),
            (
                "%margins urban, at(age=(-10 0 10))",
                "also at((mean) _all), at(x=(0(10)50)), at(x=generate(x+1)), atmeans",
            ),
            ("%margins, dydx(*)", "average marginal effects; also eyex() dyex() eydx()"),
            (
                "%margins, over(urban)",
                "by groups of the data; within() for nested factors, subpop() for a part",
            ),
            (
                "%margins -d df, over(z)",
                "z is of the DataFrame df, which has the rows that were fitted; else of the data in use",
            ),
            (
                "%margins, expression(exp(xb()) * age)",
                "of predict(...), xb(), _b[] and variables; also with dydx()",
            ),
            (
                "%margins r.urban, at(age=(0 10))",
                "contrasts, also a. ar. g.; contrast(effects nowald atcontrast(r))",
            ),
            ("%margins children, pwcompare mcompare(sidak)", "all pairs; mcompare() is as of %pwcompare"),
            ("%margins urban, post", "as the last estimates: then %lincom 1.urban - 0.urban"),
            (
                "%margins urban, predict(mu conditional(fixedonly))",
                "random effects at zero; also predict(xb)",
            ),
            ("%margins, predict(pr outcome(2))", "an outcome of an ordinal response"),
        ),
        notes=(
            "Statistics of at(): mean median p1 to p99 min max zero base asobserved asbalanced, with "
            "an o in front over all observations. Other options: if, asbalanced, level(#), "
            "noatlegend; vce(unconditional), after vce(robust) or svy, takes the covariates as "
            "sampled. %marginsplot draws them.",
        ),
    ),
    "marginsplot": Topic(
        _AFTER,
        "Draw the last margins with their confidence intervals",
        (
            ("%marginsplot", ""),
            ("%marginsplot, xdimension(urban)", "the variable of the axis"),
            (
                "%marginsplot, plotdimension(age) bydimension(urban)",
                "variables that tell lines apart, and panels",
            ),
        ),
        notes=(
            "Other options: recast(connected | line | scatter | bar), recastci(rcap | rspike | rarea "
            "| rline), level(#), title(text), name(word, replace), allxlabels, nolabels, noci, "
            "horizontal. The value is the matplotlib Axes, or a tuple of them.",
        ),
    ),
    "lrtest": Topic(
        _AFTER,
        "Likelihood-ratio tests of nested models",
        (
            ("%lrtest r_int r_urban", ""),
            ("%lrtest r_int", "against the last estimates, which are the second without a name"),
            ("%lrtest r_int r_urban, mixture", "also by the mixture of chi2 for variances at zero"),
            ("%lrtest, mixture", "the last estimates against no random effects"),
            ("%lrtest r_int r_urban, bootstrap(500) seed(1)", "also by simulation under the smaller model"),
        ),
        notes=(
            "Other options: stats, dir, df(#), force, and workers(#) for the bootstrap on several "
            "processes. An interrupt of the bootstrap keeps the replications that are done.",
        ),
    ),
    "contrast": Topic(
        _AFTER,
        "Contrasts of factor variables: joint tests of main effects and interactions",
        (
            ("%contrast children", ""),
            ("%contrast cc##tv", "both main effects and the interaction"),
            ("%contrast r.children", "with the differences from the base; also rb2. a. ar. g."),
            ("%contrast r.children#c.age", "of the slopes of age, which the model has by i.children#c.age"),
        ),
        notes=(
            "Options: mcompare(bonferroni | sidak | scheffe | noadjust), effects, cieffects, "
            "pveffects, level(#).",
        ),
    ),
    "pwcompare": Topic(
        _AFTER,
        "All pairwise differences between the levels of factor variables",
        (
            ("%pwcompare children", ""),
            ("%pwcompare children, effects mcompare(sidak)", ""),
            ("%pwcompare cc#tv", ""),
            ("%pwcompare children#c.age", "slopes"),
        ),
        notes=(
            "Options: mcompare(bonferroni | sidak | scheffe | noadjust), effects, cieffects, "
            "pveffects, level(#).",
        ),
    ),
}
"""Topics by the names of the commands."""
