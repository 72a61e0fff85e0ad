"""The option table: abbreviations and values."""

import pytest

from memagic.errors import CommandError
from memagic.spec.options import COMMANDS, OPTIONS, options_of
from memagic.spec.parser import parse_command
from memagic.spec.printer import unparse
from memagic.spec.tree import (
    Covariance,
    GridSearch,
    GridTarget,
    InitialValue,
    InitialValues,
    StartMethod,
    Technique,
)

VALUES = [
    ("meglm", "f(gau)", "family", ("gaussian",)),
    ("meglm", "family(be)", "family", ("bernoulli",)),
    ("meglm", "fam(bin)", "family", ("binomial",)),
    ("meglm", "fam(bi 10)", "family", ("binomial", 10.0)),
    ("meglm", "fam(binomial n)", "family", ("binomial", "n")),
    ("meglm", "fam(p)", "family", ("poisson",)),
    ("meglm", "l(iden)", "link", "identity"),
    ("meglm", "link(log)", "link", "log"),
    ("meglm", "link(logit)", "link", "logit"),
    ("meglm", "link(prob)", "link", "probit"),
    ("meglm", "link(clog)", "link", "cloglog"),
    ("meglm", "le(90)", "level", 90.0),
    ("melogit", "l(99.99)", "level", 99.99),
    ("melogit", "level(10)", "level", 10.0),
    ("melogit", "bin(5)", "binomial", 5.0),
    ("mecloglog", "binomial(trials)", "binomial", "trials"),
    ("meprobit", "intm(mv)", "intmethod", "mvaghermite"),
    ("meprobit", "intmethod(mc)", "intmethod", "mcaghermite"),
    ("melogit", "intmethod(pca)", "intmethod", "pcaghermite"),
    ("meprobit", "intmethod(gh)", "intmethod", "ghermite"),
    ("meprobit", "intmethod(lap)", "intmethod", "laplace"),
    ("mepoisson", "intmethod(pcl)", "intmethod", "pclaplace"),
    ("melogit", "intp(7)", "intpoints", 7),
    ("melogit", "iter(0)", "iterate", 0),
    ("melogit", "tol(1e-4)", "tolerance", 1e-4),
    ("melogit", "ltol(.5)", "ltolerance", 0.5),
    ("melogit", "nrtol(1.)", "nrtolerance", 1.0),
    ("melogit", "nonrtol", "nonrtolerance", True),
    ("melogit", "nohead", "noheader", True),
    ("melogit", "notab", "notable", True),
    ("melogit", "nogr", "nogroup", True),
    ("melogit", "nofvlab", "nofvlabel", True),
    ("melogit", "base", "baselevels", True),
    ("melogit", "noci", "noci", True),
    ("mepoisson", "nopv", "nopvalues", True),
    ("meglm", "widget", "widget", True),
    ("melogit", "nolog", "nolog", True),
    ("melogit", "log", "log", True),
    ("melogit", "or", "or", True),
    ("mepoisson", "irr", "irr", True),
    ("mecloglog", "eform", "eform", True),
]


@pytest.mark.parametrize(("command", "typed", "name", "value"), VALUES)
def test_values_and_abbreviations(command, typed, name, value):
    options = parse_command(f"{command} y x || g:, {typed}").options
    assert list(options) == [name]
    assert options[name].value == value
    assert type(options[name].value) is type(value)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [("ind", "independent"), ("exc", "exchangeable"), ("id", "identity"), ("un", "unstructured")],
)
def test_covariance(typed, kind):
    equation = parse_command(f"melogit y x || g: x, cov({typed})").random[0]
    assert equation.options["covariance"].value == Covariance(kind)


def test_fixed_options():
    options = parse_command("mepoisson y x, nocons exp(t) off(o) || g:").fixed.options
    assert {name: option.value for name, option in options.items()} == {
        "noconstant": True,
        "exposure": "t",
        "offset": "o",
    }


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("scopes", [("fixed", "global"), ("random", "global")])
def test_no_abbreviation_is_ambiguous(command, scopes):
    here = options_of(command, *scopes)
    for spec in here:
        for length in range(spec.minimum, len(spec.name) + 1):
            typed = spec.name[:length]
            fits = [s for s in here if s.name.startswith(typed) and length >= s.minimum]
            assert fits == [spec]


@pytest.mark.parametrize("command", COMMANDS)
def test_too_short_is_refused(command):
    for spec in options_of(command, "random", "global"):
        typed = spec.name[: spec.minimum - 1]
        if not typed or any(
            s.name.startswith(typed) and len(typed) >= s.minimum
            for s in options_of(command, "random", "global")
        ):
            continue
        with pytest.raises(CommandError, match="not allowed"):
            parse_command(f"{command} y x || g:, {typed}")


def test_the_table_is_complete():
    assert all(1 <= spec.minimum <= len(spec.name) and spec.help for spec in OPTIONS)
    assert all(spec.choices for spec in OPTIONS if spec.kind in ("choice", "family", "vartype"))


STARTS = [
    ("dif", "difficult", True),
    ("tr", "trace", True),
    ("grad", "gradient", True),
    ("showstep", "showstep", True),
    ("hess", "hessian", True),
    ("showtol", "showtolerance", True),
    ("dnumerical", "dnumerical", True),
    ("col", "collinear", True),
    ("coefl", "coeflegend", True),
    ("noest", "noestimate", True),
    ("tech(nr)", "technique", (Technique("nr"),)),
    ("tech(bhhh 10 nr 1000)", "technique", (Technique("bhhh", 10), Technique("nr", 1000))),
    ("startv(zero)", "startvalues", StartMethod("zero")),
    ("startv(iv, iterate(3))", "startvalues", StartMethod("iv", 3)),
    ("startv(iterate(3))", "startvalues", StartMethod("fixedonly", 3)),
    ("startg", "startgrid", (GridSearch(),)),
    ("startg(.5(.5)1)", "startgrid", (GridSearch((0.5, 1.0)),)),
    (
        "startg(x[g]) startg(-1 1 _cons[g]*1.u[g] e.y)",
        "startgrid",
        (
            GridSearch((), (GridTarget((("x", "g"),)),)),
            GridSearch((-1.0, 1.0), (GridTarget((("_cons", "g"), ("1.u", "g"))), GridTarget(residual="y"))),
        ),
    ),
    ("from(b)", "from", InitialValues(matrix="b")),
    ("from(b, copy skip)", "from", InitialValues(matrix="b", skip=True, copy=True)),
    (
        "from(1.u = -2 /cov(x[g], _cons[g])=.1 y:x=3, skip)",
        "from",
        InitialValues(
            (InitialValue("1.u", -2.0), InitialValue("/cov(x[g],_cons[g])", 0.1), InitialValue("y:x", 3.0)),
            skip=True,
        ),
    ),
]


@pytest.mark.parametrize(("typed", "name", "value"), STARTS)
def test_maximization(typed, name, value):
    command = parse_command(f"melogit y x || g:, {typed}")
    assert {key: option.value for key, option in command.options.items()} == {name: value}
    assert parse_command(unparse(command)) == command


@pytest.mark.parametrize(
    ("typed", "rc", "message", "place"),
    [
        ("tech(newton)", 111, "technique newton not found", "newton"),
        ("tech(nr 0)", 198, "must be an integer 1 or greater", "0"),
        ("tech()", 198, "incorrectly specified", "tech()"),
        ("startv(zer)", 198, "startvalues(zer) not allowed", "zer"),
        ("startv(zero, iterate(2))", 198, "option iterate() not allowed", "iterate"),
        ("startv(iv, iterate(-1))", 198, "iterate() must be an integer 0 or greater", "-1"),
        ("startgrid(x)", 198, "a level is missing", "x"),
        ("startgrid(x[g] 3)", 198, "invalid '3'", "3"),
        ("startgrid(1 to x[g])", 121, "invalid numlist", "1 to"),
        ("from(1 2 3)", 198, "a list of values is not allowed in from()", "1 2 3"),
        ("from(x 1)", 198, "a list of values is not allowed in from()", "x 1"),
        ("from(x = 1 2 = 3 =)", 198, "invalid '='", None),
        ("from(x = 1, copy)", 198, "copy is for a matrix", "copy"),
        ("from(b, skp)", 198, "invalid 'skp'", "skp"),
        ("difficult(1)", 198, "option difficult incorrectly specified", "difficult(1)"),
        ("from(b) from(c)", 198, "option from() specified more than once", "from(c)"),
    ],
)
def test_maximization_is_refused(typed, rc, message, place):
    with pytest.raises(CommandError) as caught:
        parse_command(f"melogit y z || g:, {typed}")
    error = caught.value
    assert error.rc == rc
    assert place is None or message in error.message
    assert place is None or error.text[slice(*error.span)] == place
