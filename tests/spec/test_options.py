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
    VarianceEstimator,
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


# The manual's own list, required letters capital: help files meglm, maximize and estimation_options.
ABBREVIATIONS = {
    "fixed": "NOCONStant EXPosure OFFset ASIS",
    "random": "COVariance NOCONStant FWeight IWeight PWeight",
    "global": "Family Link BINomial Dispersion CONSTraints VCE LEvel Level EFORM IRR OR NOCNSReport NOTABle "
    "NOHEADer NOGRoup COEFLegend NOFVLABel INTMethod INTPoints DIFficult TECHnique ITERate LOG NOLOG TRace "
    "GRADient SHOWSTEP HESSian SHOWTOLerance TOLerance LTOLerance NRTOLerance NONRTOLerance FROM "
    "STARTValues STARTGrid NOESTimate DNUMERICAL COLlinear BASElevels NOCI NOPValues",
}


@pytest.mark.parametrize(
    ("scope", "word"), [(scope, word) for scope, words in ABBREVIATIONS.items() for word in words.split()]
)
def test_shortest_forms_are_the_manuals(scope, word):
    required = sum(map(str.isupper, word))
    assert required in {s.minimum for s in OPTIONS if s.name == word.lower() and s.scope == scope}


ARGUMENTS = {
    "integer": "3",
    "real": "50",
    "varname": "v",
    "trials": "10",
    "vartype": "un",
    "vcetype": "oim",
    "numlist": "1 2",
    "techniques": "nr",
    "start": "zero",
    "grid": "1",
    "initial": "x = 1",
}
TAKEN = [(command, spec) for command in COMMANDS for spec in OPTIONS if spec.allows(command)]


def with_option(command, spec, typed):
    argument = ARGUMENTS.get(spec.kind) or (spec.choices[0].name if spec.choices else "")
    option = typed if spec.kind == "flag" else f"{typed}({argument})"
    return f"{command} y x, {option} || g:" if spec.scope == "fixed" else f"{command} y x || g:, {option}"


def options_read(command, spec):
    tree = parse_command(command)
    return {"fixed": tree.fixed.options, "random": tree.random[0].options, "global": tree.options}[spec.scope]


@pytest.mark.parametrize(("command", "spec"), TAKEN, ids=lambda p: getattr(p, "name", p))
def test_every_length_from_the_shortest_form_on_is_read(command, spec):
    for length in range(spec.minimum, len(spec.name) + 1):
        text = with_option(command, spec, spec.name[:length])
        assert list(options_read(text, spec)) == [spec.name]
        assert parse_command(unparse(parse_command(text))) == parse_command(text)


@pytest.mark.parametrize(
    ("command", "spec"), [t for t in TAKEN if t[1].minimum > 1], ids=lambda p: getattr(p, "name", p)
)
def test_one_letter_fewer_is_refused_with_the_shortest_form(command, spec):
    typed = spec.name[: spec.minimum - 1]
    here = options_of(command, *(("fixed", "global") if spec.scope == "fixed" else ("random", "global")))
    shorter = [s.name for s in here if s.name.startswith(typed) and len(typed) >= s.minimum]
    text = with_option(command, spec, typed)
    if shorter:
        # What is too short for this option is another one, such as `l` for link().
        assert spec.name not in shorter
        return
    with pytest.raises(CommandError) as caught:
        parse_command(text)
    error = caught.value
    shown = typed if spec.kind == "flag" else f"{typed}()"
    assert (error.rc, error.message) == (198, f"option {shown} not allowed")
    assert text[slice(*error.span)] == typed
    assert error.hint.startswith("the shortest form is ")
    assert spec.name[: spec.minimum] in error.hint.removeprefix("the shortest form is ").split(" or ")


@pytest.mark.parametrize(("command", "spec"), TAKEN, ids=lambda p: getattr(p, "name", p))
def test_an_option_stands_once(command, spec):
    once = with_option(command, spec, spec.name)
    option = once[once.index(", ") + 2 :].removesuffix(" || g:")
    twice = once.replace(f", {option}", f", {option} {option}")
    if spec.repeated:
        assert len(options_read(twice, spec)[spec.name].value) == 2
        return
    with pytest.raises(CommandError) as caught:
        parse_command(twice)
    assert (caught.value.rc, caught.value.message) == (198, f"option {spec.shown} specified more than once")
    assert caught.value.span[0] == twice.rindex(option)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("oim", VarianceEstimator("oim")),
        ("opg", VarianceEstimator("opg")),
        ("r", VarianceEstimator("robust")),
        ("cl id", VarianceEstimator("cluster", "id")),
        ("cluster id", VarianceEstimator("cluster", "id")),
    ],
)
def test_vce(typed, value):
    assert parse_command(f"melogit y x || g:, vce({typed})").options["vce"].value == value


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
