"""The words of docs/agreement.md, between its tables."""

from __future__ import annotations

__all__ = ["HEAD", "MANUAL", "OTHERS", "REMARKS", "R_FILES", "STATA", "SURVEY"]

HEAD = """# Agreement

Published numbers beside those that memagic computes. Made by
[scripts/make_agreement.py](../scripts/make_agreement.py), with {versions};
the numbers compared with are those of [tests/reference](../tests/reference), and the tests hold them too.
"Here" is what memagic computes, to the digits that are shown. Differences have one digit.
"""

MANUAL = """## The manual's examples

[ME] meglm and [ME] melogit print seven digits. The last column has the largest relative difference in a row,
of estimate, standard error and limits: the rounding of what is printed alone makes up to 1e-06, and 1e-05 of
small numbers, which have fewer digits. A cell is empty where the scan of the manual cannot be read. The data
of melogit-4 are not to be had; the tests compare the layout of its output with other data.
"""

REMARKS = {
    "meglm-1": "The printed point is where the manual's maximizer stopped: its criterion is met there, and a"
    " step of Newton's method from it leads to the estimates here"
    " ([test](../tests/test_manual_examples.py)).",
    "meglm-3": "At the start, far from the maximum, nodes that adapt to wide posteriors settle within a"
    " tolerance: the log likelihood there is -2152.15134 here. At the maximum nothing of it is left.",
    "meglm-4": "Crossed effects: the printed standard errors are by numerical derivatives. The Hessian of the"
    " Laplacian approximation, here exact, gives others by up to seven per cent; at the printed point itself,"
    " too ([test](../tests/test_manual_examples.py)). R's packages agree with such standard errors: see"
    " crossed effects by R below.",
    "melogit-3": "As with meglm-1, the printed point is a little before the maximum.",
    "melogit-5": "Crossed effects: the printed standard errors are by numerical derivatives, as with"
    " meglm-4.",
}

STATA = """## Stata 18, sixteen digits

As stored in `e()`, for 1,500 simulated observations (they are not shipped). Stata's maximizer stops where its
scaled gradient is below 1e-5, which leaves up to 1e-7 in the estimates.
"""

R_FILES: dict[str, tuple[str, str]] = {
    "values": (
        "Two-level models by R",
        "Quadrature by R code of its own, with so many points that more change nothing; glmmTMB for the"
        " Laplacian approximation; the closed form for Gaussian responses. *Estimates* is the largest"
        " difference in standard errors, *std. errs.* the largest relative difference of those.",
    ),
    "nested": ("Nested levels by R", "Columns as above."),
    "ordinal": ("Ordinal responses by R's ordinal", "Columns as above."),
    "crossed": ("Crossed effects by R", "Columns as above."),
}

SURVEY = """## Survey designs by R's survey

Design-based standard errors of models without random effects, made by
[scripts/reference_survey.R](../scripts/reference_survey.R).
"""

OTHERS = """## Also compared, in the tests only

- The printed text of the examples, line by line:
  [tests/test_manual_examples.py](../tests/test_manual_examples.py).
- Quadrature at 7 points and at many, by R code of its own:
  [tests/reference/test_quadrature_reference.py](../tests/reference/test_quadrature_reference.py).
- Known parameters recovered from simulated data: [recovery](recovery.md).
"""
