"""Commands as the manuals have them, and what they mean."""

import pytest

from memagic.spec.parser import command_name, is_replay, parse_command, parse_replay
from memagic.spec.printer import unparse
from memagic.spec.tree import Binary, Covariance, Factor, Name, Number, RowRange, Term, Weight

MANUAL = [
    "meglm y x1 || lev2:, family(binomial) link(probit)",
    "meglm y x1 || lev2:, family(binomial) or",
    "meglm y x1 || lev3: || lev2:, family(poisson) irr",
    "meglm weight week || id:",
    ". meglm c_use i.urban age i.children\n> || district: i.urban, family(bernoulli) link(logit) nofvlabel",
    "meglm y wsm##wsf || _all: R.male || _all: R.female, family(bernoulli)\n\n> link(logit) or",
    "meglm y wsm#t#wsf || _all: R.male || _all: R.female",
    "meglm y wsm##wsf || _all: R.male || female:",
    ". meglm pass_read female isei mn_isei high_school college test_lang one_for\n"
    "> both_for [pw=pst1s1], family(bernoulli) link(logit)\n> || id_school:",
    "melogit y x || lev2:",
    "melogit y x || lev2: x",
    "melogit y x || lev2: x, covariance(unstructured)",
    "melogit y x || lev3: || lev2:",
    "melogit y x || _all:R.a || b:",
    "melogit y x [fweight=wvar1] || lev2:",
    "melogit y x [pweight=wvar1] || psu:",
    "melogit y x [pw=wvar1] || psu: || ssu:",
    ". melogit c_use i.urban age i.children, nofvlabel|| district:",
    ". melogit c_use i.urban age i.children, nofvlabel || district: i.urban",
    ". melogit c_use i.urban age i.children, nofvlabel\n> || district: i.urban, covariance(unstructured)",
    ". melogit c_use ibn.urban age i.children, noconstant nofvlabel\n"
    "> || district: ibn.urban, noconstant cov(unstructured)",
    ". melogit c_use i.urban age i.children,\n"
    ">      || district: i.children, cov(exchangeable)\n>      || district:",
    ". melogit dtlm difficulty i.group || family: || subject: , or",
    ". melogit attain_gt_6 sex || _all:R.pid || _all:R.sid, or",
    ". melogit attain_gt_6 sex || _all:R.sid || pid:, or",
]


@pytest.mark.parametrize("text", MANUAL)
def test_manual_commands_round_trip(text):
    command = parse_command(text)
    assert command.text == text
    assert parse_command(unparse(command)) == command
    assert unparse(parse_command(unparse(command))) == unparse(command)


def test_parts_of_a_command():
    text = (
        "melogit c_use ibn.urban age if age > 30 in 1/100 [pw=w], nocons off(o) nofvlab "
        "|| school: age, nocons cov(un) level(90) || class:, or"
    )
    command = parse_command(text)
    assert command.name == "melogit"
    assert command.depvar == Factor("c_use", "c")
    fixed = command.fixed
    assert fixed.terms == (Term((Factor("urban", "i", base="none"),)), Term((Factor("age", "c"),)))
    assert fixed.condition == Binary(">", Name("age"), Number(30.0))
    assert fixed.rows == RowRange(1, 100)
    assert fixed.weight == Weight("pweight", Name("w"))
    assert {name: option.value for name, option in fixed.options.items()} == {
        "noconstant": True,
        "offset": "o",
    }
    school, class_ = command.random
    assert (school.level, school.terms) == ("school", (Term((Factor("age", "c"),)),))
    assert school.options["covariance"].value == Covariance("unstructured")
    assert school.options["noconstant"].value is True
    assert (class_.level, class_.terms, class_.options) == ("class", (), {})
    assert {name: option.value for name, option in command.options.items()} == {
        "nofvlabel": True,
        "level": 90.0,
        "or": True,
    }
    option = fixed.options["offset"]
    assert text[slice(*option.span)] == "off(o)"
    assert text[slice(*option.argument_span)] == option.argument == "o"
    assert text[slice(*school.level_span)] == "school"


def test_crossed_effects_and_blanks_around_the_colon():
    command = parse_command("meglm y || _all:R.a || _all : R.b||c :")
    assert [(e.level, e.factor) for e in command.random] == [("_all", "a"), ("_all", "b"), ("c", None)]
    assert command.text[slice(*command.random[1].factor_span)] == "R.b"


def test_no_random_effects_and_no_covariates():
    command = parse_command("mepoisson y")
    assert (command.fixed.terms, command.random, command.options) == ((), (), {})


def test_qualifiers_in_any_order():
    one = parse_command("meglm y x [fw=w] in -5/l if z || g:")
    assert one == parse_command("meglm y x if z in -5/-1 [frequency = w] || g:")
    assert parse_command("meglm y x in 7").fixed.rows == RowRange(7, 7)
    assert parse_command("meglm y x in f/7").fixed.rows == RowRange(1, 7)


def test_comments_and_continuation():
    text = """* fixed part
    // nothing here
    melogit y x /* a comment
      over lines */ z   /// the rest is a comment
      || school: x,     // a slope
         cov(un)
      , level(90)"""
    command = parse_command(text)
    assert command == parse_command("melogit y x z || school: x, cov(un) level(90)")
    assert text[slice(*command.fixed.terms[1].span)] == "z"


def test_comma_and_bars_in_brackets_do_not_split():
    command = parse_command('meglm y x if inlist(x, 1, 2) & name != "a, b || c" || g:')
    assert len(command.random) == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("melogit y x", "melogit"),
        ("  * c\n foo", "foo"),
        ("", None),
        ("|| x", None),
        ('"', None),
        ("/* x", None),
    ],
)
def test_command_name(text, name):
    assert command_name(text) == name


@pytest.mark.parametrize(
    ("text", "replay"),
    [
        ("melogit", True),
        ("  melogit , or", True),
        ("melogit // c", True),
        ("melogit y", False),
        ("logit", False),
        ("", False),
        ("melogit ~", False),
        ("melogit ’", False),
    ],
)
def test_is_replay(text, replay):
    assert is_replay(text) is replay


def test_parse_replay():
    name, options = parse_replay("melogit, or l(90) noheader notable nogroup nofvlabel")
    assert name == "melogit"
    assert {key: option.value for key, option in options.items()} == {
        "or": True,
        "level": 90.0,
        "noheader": True,
        "notable": True,
        "nogroup": True,
        "nofvlabel": True,
    }
    assert parse_replay("meglm") == ("meglm", {})


def test_a_long_command():
    names = " ".join(f"x{k}" for k in range(8_000))
    command = parse_command(f"meglm y {names} || g: {names}" + " " * 200_000)
    assert len(command.fixed.terms) == len(command.random[0].terms) == 8_000
