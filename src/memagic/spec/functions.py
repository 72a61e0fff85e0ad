"""The functions of expressions: their names, and how many arguments they take."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FUNCTIONS", "SPELLINGS", "Signature"]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes.

    Attributes
    ----------
    least : int
    most : int or None
        None where there is no end.
    takes : str
        A letter an argument, the last one for all that follow: ``n`` a number, ``s`` text, ``a`` either.
    """

    least: int
    most: int | None
    takes: str

    def kind(self, position: int) -> str:
        """What the argument at `position`, counted from 0, is."""
        return self.takes[min(position, len(self.takes) - 1)]

    @property
    def count(self) -> str:
        """How many arguments, in words."""
        if self.most is None:
            wanted = f"{self.least} or more"
        else:
            wanted = str(self.least) if self.least == self.most else f"{self.least} or {self.most}"
        return f"{wanted} argument{'' if wanted == '1' else 's'}"


def _of(takes: str, least: int | None = None) -> Signature:
    return Signature(len(takes) if least is None else least, len(takes), takes)


FUNCTIONS: dict[str, Signature] = {
    **dict.fromkeys(
        ("abs", "ceil", "exp", "floor", "int", "invlogit", "ln", "log10", "logit", "sign", "sqrt"), _of("n")
    ),
    **dict.fromkeys(("cloglog", "expm1", "invcloglog", "ln1m", "ln1p"), _of("n")),
    **dict.fromkeys(("acos", "asin", "atan", "cos", "sin", "tan"), _of("n")),
    **dict.fromkeys(("acosh", "asinh", "atanh", "cosh", "sinh", "tanh"), _of("n")),
    **dict.fromkeys(("invnormal", "lnnormal", "normal"), _of("n")),
    **dict.fromkeys(("lnnormalden", "normalden"), _of("nnn", 1)),
    **dict.fromkeys(("digamma", "lnfactorial", "lngamma", "trigamma"), _of("n")),
    **dict.fromkeys(("chi2", "chi2tail", "invchi2", "invchi2tail", "invttail", "ttail"), _of("nn")),
    **dict.fromkeys(("Ftail", "invFtail"), _of("nnn")),
    **dict.fromkeys(("atan2", "comb"), _of("nn")),
    "clip": _of("nnn"),
    "cond": _of("naaa", 3),
    "inlist": Signature(2, None, "a"),
    "inrange": _of("aaa"),
    "max": Signature(1, None, "n"),
    "min": Signature(1, None, "n"),
    "missing": Signature(1, None, "a"),
    "mod": _of("nn"),
    "real": _of("s"),
    "regexm": _of("ss"),
    "round": _of("nn", 1),
    "string": _of("n"),
    **dict.fromkeys(("stritrim", "strlen", "strlower", "strreverse", "strtrim", "strupper"), _of("s")),
    "strmatch": _of("ss"),
    "strpos": _of("ss"),
    "subinstr": _of("sssn"),
    "substr": _of("snn"),
    "word": _of("sn"),
    "wordcount": _of("s"),
}

# Other spellings of the same functions. Text is Unicode throughout: one character counts one.
SPELLINGS = {
    "itrim": "stritrim",
    "length": "strlen",
    "log": "ln",
    "log1m": "ln1m",
    "log1p": "ln1p",
    "lower": "strlower",
    "mi": "missing",
    "reverse": "strreverse",
    "strofreal": "string",
    "trim": "strtrim",
    "trunc": "int",
    "upper": "strupper",
    "ustrlen": "strlen",
    "ustrlower": "strlower",
    "ustrpos": "strpos",
    "ustrregexm": "regexm",
    "ustrupper": "strupper",
    "usubinstr": "subinstr",
    "usubstr": "substr",
}
