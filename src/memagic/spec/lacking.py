"""Options of the manual that there are not, and what older commands called those there are: for hints."""

from __future__ import annotations

__all__ = ["lacking_hint"]

# Required letters are capital.
_LACKING = (
    "CFORMAT",
    "PFORMAT",
    "SFORMAT",
    "NOLSTRETCH",
    "QTOLerance",
)
_RENAMED = {
    "cluster": "type vce(cluster clustvar)",
    "robust": "type vce(robust)",
    "laplace": "type intmethod(laplace)",
    "nip": "type intpoints(#)",
    "variance": "variances are what is shown",
    "reml": "restricted maximum likelihood is for mixed; these models are fitted by maximum likelihood",
    "re": "random effects follow a level: || level: x",
    "fe": "fixed effects are the variables before the first ||",
    "i": "type the group variable as a level: || groupvar:",
    "group": "type the group variable as a level: || groupvar:",
}


def lacking_hint(typed: str) -> str | None:
    """What there is to say about an option's name that no command knows, or None."""
    for word in _LACKING:
        name, least = word.lower(), sum(map(str.isupper, word))
        if len(typed) >= least and name.startswith(typed):
            return f"{name} is an option of the manual that is not available yet"
    return _RENAMED.get(typed.lower())
