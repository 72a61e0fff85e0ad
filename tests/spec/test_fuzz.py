"""Generated commands come back unchanged; damaged ones end in a result or a CommandError."""

import contextlib
import os
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memagic.errors import CommandError
from memagic.spec.constraint import parse_constraint, parse_constraint_command
from memagic.spec.expression import parse_expression
from memagic.spec.functions import FUNCTIONS, SPELLINGS
from memagic.spec.matrix import parse_matrix_command
from memagic.spec.numlist import parse_numlist
from memagic.spec.parser import command_name, is_replay, parse_command, parse_replay
from memagic.spec.printer import expression_text, unparse
from memagic.spec.varlist import parse_varlist

MANUAL = [
    ". meglm c_use i.urban age i.children\n> || district: i.urban, family(bernoulli) link(logit) nofvlabel",
    "meglm y wsm##wsf || _all: R.male || _all: R.female, family(bernoulli) link(logit) or",
    "melogit c_use ibn.urban age, noconstant || district: ibn.urban, noconstant cov(unstructured)",
    "melogit y x if inrange(age, 18, 65) & !missing(z[_n-1]) in 1/100 [pw=w1*w2] || psu: || ssu: x z",
]
BINARY = [*"+-*/^&|<>", "==", "!=", "~=", "<=", ">="]

# `make fuzz` runs the same tests with many times the examples.
EFFORT = int(os.environ.get("MEMAGIC_FUZZ", "1"))
QUICK = settings(max_examples=60 * EFFORT, deadline=None)
LONGEST = 2000

names = st.sampled_from(["y", "x", "x1", "age", "_z", "größe", "e5", "R", "to", "L", "c", "i", "b2"])
number = st.integers(0, 40).map(str)
operator = st.one_of(
    st.sampled_from(["", "i.", "c.", "ibn.", "ib(last).", "ib(first).", "ib(freq).", "ib(#2).", "i(1/3 9)."]),
    st.sampled_from(["io(2 3).", "o.", "co.", "L.", "f2.", "iL.", "Li.", "ibnF.", "2L3.", "ib(last)L."]),
    st.sampled_from(["L(0/2).", "L(-1 1).", "F(1/2)L.", "iL(1/2)."]),
    number.map(lambda n: f"{n}."),
    number.map(lambda n: f"ib{n}."),
    number.map(lambda n: f"o{n}."),
)
# Differences are of continuous variables only, which a bare name in an interaction is not.
differences = st.lists(
    st.sampled_from(["L", "l2", "F3", "D", "d2", "S12", "s4", "L(0/1)", "D(0 2)"]), max_size=4
)
in_time = differences.filter(bool).map(lambda parts: f"c{''.join(parts)}.")
listed = st.one_of(names, st.sampled_from(["x*", "?x", "a?_*2", "x~y", "a-d", "x1 - x9", "_all", "*y"]))
factor = st.tuples(st.one_of(operator, in_time), listed).map("".join)
group = st.tuples(st.sampled_from(["i.", "c.", ""]), st.lists(names, min_size=1, max_size=3)).map(
    lambda g: f"{g[0]}({' '.join(g[1])})"
)
item = st.tuples(
    st.lists(st.one_of(factor, group), min_size=1, max_size=3), st.sampled_from(["#", "##", " # "])
).map(lambda i: i[1].join(i[0]))
varlist = st.lists(item, max_size=4).map(" ".join)

leaf = st.one_of(
    names,
    number,
    st.sampled_from(
        [
            ".",
            ".b",
            ".5",
            "1e-3",
            '"a"',
            '`"a"b"\'',
            "_n",
            "x[_n-1]",
            "_b[1.x#c.z]",
            "_se[/var(_cons[g>h])]",
            "e(sample)",
        ]
    ),
)
function = st.sampled_from(
    [(name, FUNCTIONS[SPELLINGS.get(name, name)].least) for name in [*FUNCTIONS, *SPELLINGS]]
)
expression = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(BINARY), inner).map(" ".join),
        st.tuples(st.sampled_from(["-", "!", "~", "+"]), inner).map("".join),
        inner.map(lambda e: f"({e})"),
        st.tuples(function, inner).map(lambda f: f"{f[0][0]}({', '.join([f[1]] * f[0][1])})"),
    ),
    max_leaves=12,
)


def optional(text):
    return st.one_of(st.just(""), text)


covariance = st.sampled_from(["", " cov(un)", " covariance(exch)", " nocons", " nocons cov(id)"])
shown = st.sampled_from(
    [
        "",
        " or",
        " irr level(90)",
        " noheader nolog",
        " intp(3) intm(l) iter(2)",
        " tol(1e-5)",
        " startgrid startgrid(-.1 1/3 _cons[g] x[g>h] _cons[g]*1.x[g] e.y) tech(bhhh 10 nr)",
        " from(x = 1 /var(x _cons[g]) = -2 y:z=.1, skip) startv(iv, iterate(3))",
        " from(b, copy) dif tr",
    ]
)
family = st.sampled_from(["", " family(bin 10) link(probit)", " f(bin n)", " fam(p)"])
level = st.tuples(names, st.one_of(varlist, names.map(lambda n: f"R.{n}")), covariance).map(
    lambda e: f" || {e[0]}: {e[1]},{e[2]}"
)
WEIGHT_OPTIONS = {"[fw=": " fw(w)", "[iw=": " iwei(w)", "[pw=": " pweight(w)"}


def whole(parts):
    """A command of its parts; weights only where the manual has them."""
    weight, levels, last = parts[4], parts[7], parts[9]
    if "R." in "".join(levels) or "intm(l)" in last:
        weight = ""
    level_weight = WEIGHT_OPTIONS.get(weight.lstrip()[:4], "")
    return "".join([*parts[:4], weight, *parts[5:7], *(f"{one}{level_weight}" for one in levels), *parts[8:]])


command = st.tuples(
    names.map(lambda n: f"meglm {n} "),
    varlist,
    optional(expression.map(lambda e: f" if {e}")),
    optional(st.sampled_from([" in 1/5", " in f/-2", " in 3"])),
    optional(
        st.tuples(st.sampled_from(["[fw=", "[iw=", "[pw="]), expression).map(lambda w: f" {w[0]}{w[1]}]")
    ),
    st.sampled_from([",", ", nocons", ", off(o) exp(t)"]),
    family,
    st.lists(level, max_size=3),
    st.sampled_from([" ,", " , vce(oim)", " , vce(r)", " , vce(cl g)"]),
    shown,
).map(whole)


@QUICK
@given(expression)
def test_expressions_round_trip(text):
    tree = parse_expression(text)
    assert parse_expression(expression_text(tree)) == tree


@QUICK
@given(command)
def test_commands_round_trip(text):
    tree = parse_command(text)
    assert parse_command(unparse(tree)) == tree


edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 3),
        st.one_of(
            st.text(max_size=3),
            st.sampled_from([*"|:,()[]#.\"'`=~*/&\n", "||", "//", "/*", "*/", "if ", "in "]),
        ),
    ),
    min_size=1,
    max_size=5,
)


def read_in_any_case(text):
    """Every door of the language: a result, or an error with its place, and nothing else."""
    command_name(text)
    is_replay(text)
    with contextlib.suppress(CommandError):
        parse_replay(text)
    tree = None
    caught = None
    try:
        tree = parse_command(text)
    except CommandError as error:
        caught = error
    if caught is not None:
        assert caught.text == text
        assert caught.span is not None
        assert 0 <= caught.span[0] <= len(text)
        assert caught.span[0] < caught.span[1]
        assert str(caught).endswith(f"r({caught.rc});")
    else:
        assert parse_command(unparse(tree)) == tree


@settings(max_examples=200 * EFFORT, deadline=None)
@given(st.one_of(st.sampled_from(MANUAL), command), edits)
def test_damaged_commands_end_in_an_error_of_their_own(text, changes):
    for place, length, inserted in changes:
        at = int(place * len(text))
        text = text[:at] + inserted + text[at + length :]
    read_in_any_case(text)


pieces = st.one_of(
    names,
    number,
    operator,
    st.sampled_from(
        [
            *"|:,()[]#.\"'`=~*/&+-^!<>@;{}$\n \t",
            "||",
            "##",
            "//",
            "/*",
            "*/",
            "if ",
            "in ",
            "(1|g)",
            " ~ ",
            "R.",
            "_all",
            "L2.",
            "cov(",
            "from(",
            "startgrid(",
            "family(",
            "vce(",
            "fw(w)",
            "[pw=",
            "1e9",
            "I(",
        ]
    ),
    st.text(max_size=4),
)


@settings(max_examples=100 * EFFORT, deadline=None)
@given(
    st.sampled_from(["", "meglm y ", "melogit y x if ", "melogit y x || g: x, ", "y ~ ", "glmer("]), st.data()
)
def test_any_text_ends_in_an_error_of_its_own(start, data):
    text = start + "".join(data.draw(st.lists(pieces, max_size=60)))
    # One piece again and again is what reaches limits of depth and number.
    repeated = data.draw(pieces) * data.draw(st.integers(0, LONGEST))
    read_in_any_case((text + repeated)[:LONGEST])


@settings(max_examples=100 * EFFORT, deadline=None)
@given(
    st.sampled_from(
        [
            (parse_numlist, ""),
            (parse_varlist, ""),
            (parse_expression, ""),
            (parse_constraint, ""),
            (parse_constraint_command, "constraint "),
            (parse_matrix_command, "matrix "),
            (parse_matrix_command, "matrix A = ("),
        ]
    ),
    st.lists(pieces, max_size=40).map("".join),
)
def test_parts_of_commands_end_in_an_error_of_their_own(door, rest):
    parse, start = door
    text = start + rest
    caught = None
    try:
        parse(text[:LONGEST])
    except CommandError as error:
        caught = error
    assert caught is None or caught.span is None or 0 <= caught.span[0] <= len(text)
    assert caught is None or str(caught)


SHAPES = {
    "variables": lambda n: "melogit y " + " ".join(f"x{k}" for k in range(n)),
    "groups": lambda n: "melogit y " + "(a b) " * n,
    "factors": lambda n: "melogit y " + " ".join(f"i.x{k}#c.z" for k in range(n)),
    "formula": lambda n: "melogit y ~ " + " + ".join(f"(x | g{k})" for k in range(n)),
    "crossed": lambda n: "melogit y ~ " + " + ".join(f"(1 | g{k})" for k in range(n)),
    "nested bars": lambda n: "melogit y ~ " + "(1|" * n + "g" + ")" * n,
    "levels": lambda n: "melogit y " + " ".join(f"|| g{k}: x" for k in range(n)),
    "parentheses": lambda n: "melogit y if " + "(" * n + "x" + ")" * n,
    "unclosed": lambda n: "melogit y " + "(" * n,
    "arguments": lambda n: "melogit y if inlist(x" + ", 1" * n + ")",
    "options": lambda n: "melogit y || g:, " + "startgrid(1 2) " * n,
    "values": lambda n: "melogit y || g:, from(" + "x = 1 " * n + ")",
    "lines": lambda n: "melogit y " + "x ///\n" * n,
    "commas": lambda n: "melogit y " + "," * n,
    "signs": lambda n: "melogit y if " + "-" * n + "x",
    "call": lambda n: "glmer(" + "(" * n + "~" + ")" * n + ")",
    "periods": lambda n: "melogit y if " + "df." * n + "x",
}


def steps(text):
    """How many functions are called, Python's own among them, until the text is read or refused."""
    count = 0

    def count_calls(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(count_calls)
    try:
        with contextlib.suppress(CommandError):
            parse_command(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("shape", SHAPES)
def test_reading_takes_time_in_proportion_to_length(shape):
    """Twice the text, twice the steps, up to ten thousand characters."""
    unit = len(SHAPES[shape](200)) / 200
    few = int(2500 / unit)
    short, long = steps(SHAPES[shape](few)), steps(SHAPES[shape](4 * few))
    assert long < 4.5 * short + 1000
