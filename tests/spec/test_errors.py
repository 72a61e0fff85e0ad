"""Every mistake: its code, its message, its place, its hint."""

import pytest

from memagic.errors import CommandError
from memagic.spec.parser import parse_command, parse_replay

# The place is marked by « and ».
MISTAKES = [
    ("«melogi» y x", 199, "command melogi is unrecognized", "melogit"),
    ("«foo» y x", 199, "command foo is unrecognized", None),
    ("melogit«»", 100, "varlist required", "dependent variable"),
    ("melogit, «cov»(un)", 198, "option cov() not allowed", "after a level"),
    ("melogit «if» x", 100, "varlist required", "dependent variable"),
    ("melogit «i.y» x", 198, "depvar may not be a factor variable", "without an operator"),
    ("melogit y x «|» district:", 198, "invalid '|'", "||"),
    ("melogit y x if a==1 «|» district:", 198, "invalid '|'", "||"),
    ("melogit y x || a: «|» b:", 198, "invalid '|'", "||"),
    ("melogit y x, or «|» b:", 198, "invalid '|'", "||"),
    ("melogit y x || «district»", 198, "':' required after level variable district", "type district:"),
    ("melogit y x || «d» x, cov(un)", 198, "':' required after level variable d", "type d:"),
    ("melogit y x if a«=»1 || d:", 198, "invalid '='", "=="),
    ("melogit y «~» x + (1|g)", 198, "invalid '~'", "type melogit y x || g:"),
    ("melogit y «~» x + C(z) + (1 + x|g)", 198, "invalid '~'", "y x i.z || g: x, covariance(unstructured)"),
    ("melogit y «~» 0 + x + (0 + x|a/b)", 198, "invalid '~'", "x, noconstant || a: x, noconstant || b: x"),
    ("melogit y «~» x*z + (1|g)", 198, "invalid '~'", "type melogit y c.x##c.z || g:"),
    ("melogit y «~» x || d:", 198, "invalid '~'", "type melogit y x || d:"),
    ("melogit y «=» x || d:", 198, "invalid '='", "type melogit y x || d:"),
    ("melogit y x if a==1 «and» b==2", 198, "invalid 'and'", "&"),
    ("melogit y x if a==1 «or» b==2", 198, "invalid 'or'", "|"),
    ("melogit y x if «not» a", 198, "invalid 'not'", "!"),
    ("melogit y x if a==«True»", 198, "invalid 'True'", "1"),
    ("melogit y x if a==1 &«&» b==2", 198, "invalid '&'", "one &"),
    ("melogit y x if a==1 || b«==»2", 198, "invalid '=='", "single |"),
    ("melogit y x if a*«*»2", 198, "invalid '*'", "^"),
    ("melogit y x if x in «(»1,2)", 198, "invalid '('", "inlist"),
    ("melogit y x if «x.isna»()", 198, "invalid 'x.isna'", "missing(x)"),
    ("melogit y x if «(»a==1 || d:", 132, "too few ')' or ']'", "never closed"),
    ("melogit y x if a==1«)» || d:", 132, "too many ')' or ']'", None),
    ("melogit y x if «(»a==1] || d:", 132, "too few ')' or ']'", "never closed"),
    ('melogit y x if a==«"»x || d:', 132, "too few quotes", "never closed"),
    ("melogit y x if a==«'»x' || d:", 198, "' invalid character", "double quotes"),
    ("melogit y x «/*» || d:", 198, "comment without an end", "*/"),
    ("melogit y x || d:, «covv»(un)", 198, "option covv() not allowed", "covariance"),
    ("melogit y x || d:, «co»(un)", 198, "option co() not allowed", "cov"),
    ("melogit y x || d:, «nofoo»", 198, "option nofoo not allowed", None),
    ("melogit y x || d:, «OR»", 198, "option OR not allowed", "or"),
    ("melogit y x || d:, cov(un) «cov(id)»", 198, "option covariance() specified more than once", None),
    ("melogit y x, or || d:, «or»", 198, "option or specified more than once", None),
    ("melogit y x || d:, «level»", 198, "option level() incorrectly specified", "level(#)"),
    ("melogit y x || d:, «level()»", 198, "option level() incorrectly specified", "level(#)"),
    ("melogit y x || d:, level(«a»)", 198, "option level() incorrectly specified", "level(#)"),
    ("melogit y x || d:, level(90 «9»)", 198, "option level() incorrectly specified", "level(#)"),
    ("melogit y x || d:, «level»=90", 198, "option level() incorrectly specified", "level(#)"),
    ("melogit y x || d:, «or(3)»", 198, "option or incorrectly specified", "no parentheses"),
    ("melogit y x || d:, level(«100»)", 198, "level() must be between 10 and 99.99 inclusive", None),
    ("melogit y x || d:, level(«9.9»)", 198, "level() must be between 10 and 99.99 inclusive", None),
    (
        "melogit y x || d:, intp(«2.5»)",
        198,
        "intpoints() must be an integer between 1 and 195 inclusive",
        None,
    ),
    (
        "melogit y x || d:, intp(«196»)",
        198,
        "intpoints() must be an integer between 1 and 195 inclusive",
        None,
    ),
    ("melogit y x || d:, tol(«-1»)", 198, "tolerance() must be 0 or greater", None),
    ("melogit y x || d:, log «nolog»", 198, "options log and nolog may not be combined", None),
    ("meglm y x || d:, irr «or»", 198, "options irr and or may not be combined", None),
    ("melogit y x || d:, «irr»", 198, "option irr not allowed", "mepoisson"),
    ("mepoisson y x || d:, «binomial»(3)", 198, "option binomial() not allowed", "melogit"),
    ("melogit y x, «exposure»(t)", 198, "option exposure() not allowed", "meglm, mepoisson"),
    ("melogit y x || d:, bin(«0»)", 198, "the number of binomial trials must be a positive integer", None),
    ("melogit y x || d:, «offset»(z)", 198, "option offset() not allowed", "before the first ||"),
    ("melogit y x , offset(«2»)", 198, "option offset() incorrectly specified", "offset(varname)"),
    ("melogit y x, «cov»(un) || d:", 198, "option cov() not allowed", "after a level"),
    ("melogit y x || d:, intm(«gaus»)", 198, "intmethod(gaus) not allowed", "ghermite"),
    ("melogit y x || d:, intm(«pc»)", 198, "intmethod(pc) not allowed", "pclaplace"),
    ("melogit y x || d: x, cov(«u»)", 198, "covariance(u) not allowed", "unstructured"),
    ("meglm y x || d:, f(bern «3»)", 198, "option family() incorrectly specified", "gaussian"),
    ("melogit y «Q.»x || d:", 198, "Q. operator not allowed", None),
    ("melogit y «R.»x || d:", 198, "R. operator not allowed", "after a level"),
    ("melogit y «io.»x || d:", 198, "io. operator not allowed", "type io2."),
    ("melogit y «ib.»x || d:", 198, "ib. operator not allowed", "base"),
    ("melogit y i.(x «c.»z) || d:", 198, "c. operator not allowed", "one operator"),
    ("melogit y i(«40000»).x || d:", 198, "levels of factor variables are integers from 0 to 32740", None),
    ("melogit y i(1 «a»).x || d:", 121, "invalid numlist", None),
    ("melogit y x «*» z || d:", 198, "invalid '*'", "interactions are x#z"),
    ("melogit y x1«-»|| d:", 198, "invalid '-'", "a range of variables"),
    ("melogit y x «+» z || d:", 198, "invalid '+'", "blanks"),
    ("melogit y x#«» || d:", 198, "invalid syntax", "expected after #"),
    ("melogit y a#b#c#d#e#f#g#h#i", 103, "too many variables specified", "at most 8"),
    ("melogit y «2nd» || d:", 198, "2nd invalid name", None),
    ("melogit y «ln(»x) || d:", 198, "invalid 'ln('", "variable of the data"),
    ("melogit y x || «R».d:", 198, "invalid 'R'", "_all: R.d"),
    ("melogit y x || «i».d:", 198, "invalid 'i'", "type d:"),
    ("melogit y x || d: R.z «x»", 198, "invalid 'x'", "alone"),
    ("melogit y x ||«»", 198, "invalid syntax", "level is expected"),
    ("melogit y x if «foo»(x) || d:", 133, "unknown function foo()", None),
    ("melogit y x if «inrange(x)» || d:", 198, "invalid syntax", "3 arguments"),
    ("melogit y x if x >«» || d:", 198, "invalid syntax", "expression"),
    ("melogit y x if x > «1x» || d:", 198, "invalid '1x'", None),
    ("melogit y x if x > «1e999» || d:", 198, "invalid '1e999'", None),
    ("melogit y x if x > «.ab» || d:", 198, "invalid '.ab'", ".z"),
    ("melogit y x if x «if» z || d:", 198, "invalid 'if'", None),
    ("melogit y x [«aw»=w] || d:", 101, "aweights not allowed", None),
    ("melogit y x [«w»=w] || d:", 101, "weights not allowed", "pweight"),
    ("melogit y x [«pw»] || d:", 198, "invalid 'pw'", "[pweight=varname]"),
    ("melogit y x || d: «[»fw=w]", 198, "invalid '['", "before the first ||"),
    ("melogit y x || d: «if» x", 198, "invalid 'if'", "before the first ||"),
    ("melogit y x in «0»/5 || d:", 198, "observation numbers out of range", None),
    ("melogit y x in «99999999999999999999»", 198, "observation numbers out of range", None),
]


COLUMNS = "columns are named without their frame: type "
RENAME = 'a name has no blanks or signs; rename it: df.rename(columns={"my var": "my_var"})'
MISSING = "a missing value is a period: type x == . or missing(x)"

# The words and signs of R, Python and pandas, and other slips: the hint in full.
SLIPS = [
    # Formulas.
    ("melogit y «~» x", 198, "invalid '~'", "type melogit y x"),
    ("melogit y «~» x if z > 1", 198, "invalid '~'", "type melogit y x if z > 1"),
    ("melogit y «~» x + (1|g), data=df", 198, "invalid '~'", "type melogit y x || g:"),
    ("melogit y «~» x + (x|g)", 198, "invalid '~'", "type melogit y x || g: x, covariance(unstructured)"),
    ("melogit y «~» x + (x||g)", 198, "invalid '~'", "type melogit y x || g: x"),
    ("melogit y «~» x + (0 + x|g)", 198, "invalid '~'", "type melogit y x || g: x, noconstant"),
    ("melogit y «~» (1|g) + (0+x|g)", 198, "invalid '~'", "type melogit y || g: x, noconstant || g:"),
    ("melogit y «~» x + (1|a/b)", 198, "invalid '~'", "type melogit y x || a: || b:"),
    ("melogit y «~» x + (1|a:b) + (1|a)", 198, "invalid '~'", "type melogit y x || a: || b:"),
    ("melogit y «~» (1|a) + (1|b)", 198, "invalid '~'", "type melogit y || _all: R.a || b:"),
    (
        "melogit y «~» (x|a) + (1|b)",
        198,
        "invalid '~'",
        "type melogit y || _all: R.b || a: x, covariance(unstructured)",
    ),
    (
        "melogit y «~» (1|a:b)",
        198,
        "invalid '~'",
        "type melogit y || a_b: once the data have a_b = the groups of a and b",
    ),
    ("melogit y «~» x1 + C(g)", 198, "invalid '~'", "type melogit y x1 i.g"),
    ("melogit y «~» C(g, Treatment(2)):x - 1", 198, "invalid '~'", "type melogit y i.g#c.x, noconstant"),
    ("melogit y «~» factor(g) * x", 198, "invalid '~'", "type melogit y i.g##c.x"),
    ("melogit y «~» x + I(x**2) + I(x^3)", 198, "invalid '~'", "type melogit y x c.x#c.x c.x#c.x#c.x"),
    ("mepoisson y «~» x + offset(t)", 198, "invalid '~'", "type mepoisson y x, offset(t)"),
    (
        "melogit y «~» np.log(x)",
        198,
        "invalid '~'",
        "type melogit y log_x once the data have log_x = np.log(x)",
    ),
    (
        "melogit y «~» poly(x, 2)",
        198,
        "invalid '~'",
        "melogit takes no formula: type it as in y x1 x2 || group: x1: variables separated by blanks, and || "
        "before each level",
    ),
    ("melogit y x «(1|g)» if z", 198, "invalid '(1|g)'", "type melogit y x || g:"),
    ("melogit y x + «(1 | g)»", 198, "invalid '(1 | g)'", "type melogit y x || g:"),
    ('melogit «"y ~ x + (1|g)"»', 198, "invalid '\"y ~ x + (1|g)\"'", "type melogit y x || g:"),
    ("«glmer»(y ~ x + (1|g), df, binomial)", 199, "command glmer is unrecognized", "type melogit y x || g:"),
    ('«lmer»("y ~ x + (1|g)", df)', 199, "command lmer is unrecognized", "type meglm y x || g:"),
    ("«y» ~ x", 199, "command y is unrecognized", "a command comes first: melogit y ..."),
    # Levels.
    ("melogit y x «|» d: z", 198, "invalid '|'", "type || before a level"),
    ("melogit y x || «d» z", 198, "':' required after level variable d", "type d:"),
    (
        "melogit y x || d: «r.»z",
        198,
        "r. operator not allowed",
        "type R.varname alone after a level: || _all: R.varname",
    ),
    ("melogit y «I.»g || d:", 198, "I. operator not allowed", "did you mean i.?"),
    ("melogit y «C.»g || d:", 198, "C. operator not allowed", "did you mean c.?"),
    # Conditions.
    ("melogit y x if a «=» 1 || d:", 198, "invalid '='", "type == to compare"),
    ("melogit y x if a «=»! 1 || d:", 198, "invalid '='", "type != for unequal"),
    ("melogit y x if a «=»> 1 || d:", 198, "invalid '='", "type >= for at least"),
    ("melogit y x if a <«>» 1 || d:", 198, "invalid '>'", "type != for unequal"),
    ("melogit y x if a > 1 «and» b", 198, "invalid 'and'", "type & for and"),
    ("melogit y x if a > 1 «or» b", 198, "invalid 'or'", "type | for or"),
    ("melogit y x if «not» a", 198, "invalid 'not'", "type ! for not"),
    ("melogit y x if (a «||» b)", 198, "invalid '||'", "in a condition, or is a single |"),
    ("melogit y x if a == «False»", 198, "invalid 'False'", "a false condition is 0: type x == 0, or !x"),
    ("melogit y x if a != «None»", 198, "invalid 'None'", MISSING),
    ("melogit y x if a != «np.nan»", 198, "invalid 'np.nan'", MISSING),
    ("melogit y x if a «is» None", 198, "invalid 'is'", "type == . to test for missing values"),
    ("melogit y x if s == «'»bob'", 198, "' invalid character", 'text goes between double quotes: "bob"'),
    ("melogit y x if s == «“»bob”", 198, "“ invalid character", 'text goes between double quotes: "bob"'),
    ("melogit y x if «df.a» > 1", 198, "invalid 'df.a'", f"{COLUMNS}a"),
    ('melogit y x if df[«"a"»] > 1', 198, "invalid '\"a\"'", f"{COLUMNS}a"),
    ('melogit y x if df[«"my var"»] > 1', 198, "invalid '\"my var\"'", RENAME),
    ("melogit y x if «a.isin»([1, 2])", 198, "invalid 'a.isin'", "type inlist(a, 1, 2)"),
    ("melogit y x if «a.notna»()", 198, "invalid 'a.notna'", "type !missing(a)"),
    ("melogit y x if «np.log»(a) > 1", 198, "invalid 'np.log'", "type log(x)"),
    ("melogit y x if «lenght»(s) > 1", 133, "unknown function lenght()", "did you mean length?"),
    ("melogit y x, «if» z || d:", 198, "option if not allowed", "if and in stand before the comma"),
    ("melogit y x in 1«:»10", 198, "invalid ':'", "a range has a slash: in 1/10"),
    ("melogit y x in 1 «10»", 198, "invalid '10'", "a range has a slash: in 1/10"),
    ("melogit y x in 1, «10»", 198, "invalid '10'", "options are words; a range of observations is in 1/10"),
    # Variables.
    ('melogit y «"x"» || d:', 198, "invalid '\"x\"'", "names stand without quotes: type x"),
    ('melogit y «"my var"» || d:', 198, "invalid '\"my var\"'", RENAME),
    ('melogit «"my var"» x || d:', 198, "invalid '\"my var\"'", RENAME),
    ('melogit y df[«"x"»] || d:', 198, "invalid '\"x\"'", "names stand without quotes: type x"),
    ("melogit y «C(»g) || d:", 198, "invalid 'C('", "type i.g for a factor variable"),
    (
        "melogit y «log(»x) || d:",
        198,
        "invalid 'log('",
        'make it a variable of the data first: df["log_x"] = ...',
    ),
    ("melogit y x«^»2 || d:", 198, "invalid '^'", "powers are products: c.x#c.x is the square of x"),
    (
        "melogit y, «x», z || d:",
        198,
        "option x not allowed",
        "variables stand before the comma, separated by blanks",
    ),
    ("melogit y x«;» z", 198, "invalid ';'", "one command at a time"),
    # Options.
    ("melogit y x || d: «cov(»un)", 198, "invalid 'cov('", "options follow a comma: , cov("),
    ("melogit y x || d:, «robust»", 198, "option robust not allowed", "type vce(robust)"),
    (
        "melogit y x || d:, «nolstretch»",
        198,
        "option nolstretch not allowed",
        "nolstretch is an option of the manual that is not available yet",
    ),
    (
        "melogit y x || d:, vce(cluster«)»",
        198,
        "option vce() incorrectly specified",
        "type vce(cluster clustvar)",
    ),
    (
        "melogit y x || d:, nonrtol «nrtol(1)»",
        198,
        "options nonrtolerance and nrtolerance may not be combined",
        None,
    ),
    (
        "melogit y x || d: cov«=»un",
        198,
        "invalid '='",
        "an option follows a comma and has its value in parentheses: , level(90)",
    ),
    # Weights.
    (
        "melogit y x [pw=w] || d:, «fw(v)»",
        198,
        "only one type of weight may be specified",
        "use pweight at all levels, or fweight",
    ),
    (
        "melogit y x || d:, fw(v) «iw(v)»",
        198,
        "only one type of weight may be specified",
        "use fweight at all levels, or iweight",
    ),
    ("melogit y x «[pw=w]» || _all: R.d || e:", 198, "weights are not supported for crossed models", None),
    (
        "melogit y x «[iw=w]» || d:, intm(lap)",
        198,
        "weights are not supported with intmethod(laplace)",
        "weights need quadrature: leave out intmethod() for mvaghermite",
    ),
    # Commands.
    ("«bysort» g: melogit y x || d:", 199, "prefix bysort is not supported", "type the command without it"),
    ("«Melogit» y x || d:", 199, "command Melogit is unrecognized", "type melogit: capital letters matter"),
    (
        "«xtmelogit» y x || d:",
        199,
        "command xtmelogit is unrecognized",
        "type melogit for the multilevel model: melogit y x || group:",
    ),
    (
        "«mixed» y x || d:",
        199,
        "command mixed is unrecognized",
        "type meglm for the linear multilevel model: meglm y x || group:",
    ),
]


@pytest.mark.parametrize(("marked", "rc", "message", "hint"), SLIPS)
def test_slips(marked, rc, message, hint):
    first, last = marked.find("«"), marked.find("»") - 1
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(CommandError) as caught:
        parse_command(text)
    error = caught.value
    assert (error.rc, error.message, error.hint, error.span) == (rc, message, hint, (first, last))
    shown = str(error).splitlines()
    assert shown[0] == text
    assert shown[1] == " " * first + "^" * (last - first)


@pytest.mark.parametrize(
    "marked",
    [
        hint.removeprefix("type ")
        for marked, _, _, hint in SLIPS
        if "~" in marked and hint.startswith("type me")
    ],
)
def test_translations_are_commands(marked):
    parse_command(marked.partition(" once the data")[0])


@pytest.mark.parametrize(("marked", "rc", "message", "hint"), MISTAKES)
def test_mistakes(marked, rc, message, hint):
    first = marked.find("«")
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(CommandError) as caught:
        parse_command(text)
    error = caught.value
    assert (error.rc, error.message, error.text) == (rc, message, text)
    assert error.span is not None
    assert hint is None or hint in (error.hint or "")
    if first >= 0:
        assert error.span[0] == first
        place = marked.find("»") - 1
        assert error.span[1] == place if place > first else error.span[1] > first


def test_replay_refuses_what_would_need_a_new_fit():
    with pytest.raises(CommandError, match="not allowed") as caught:
        parse_replay("melogit, or intpoints(9)")
    assert caught.value.span == (12, 24)
    with pytest.raises(CommandError, match="may not be combined"):
        parse_replay("meglm, or irr")
    with pytest.raises(CommandError, match="unrecognized"):
        parse_replay("logit")
    with pytest.raises(CommandError, match="invalid 'y'"):
        parse_replay("melogit y")


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 5000 + "x" + ")" * 5000,
        "!" * 5000 + "x",
        "-" * 5000 + "x",
        "2^" + "-" * 5000 + "x",
        "+".join(["x"] * 5000),
        "abs(" * 500 + "x" + ")" * 500,
        "x[" * 500 + "1" + "]" * 500,
    ],
)
def test_deep_expressions(condition):
    with pytest.raises(CommandError, match="expression too complicated"):
        parse_command(f"melogit y x if {condition} || g:")


def test_deep_variable_lists():
    with pytest.raises(CommandError, match="varlist too complicated"):
        parse_command("melogit y " + "(" * 5000 + "x" + ")" * 5000)
    with pytest.raises(CommandError, match="too many variables"):
        parse_command("melogit y " + "##".join(f"x{k}" for k in range(5000)))
    many = " ".join(f"x{k}" for k in range(500))
    with pytest.raises(CommandError, match="too many variables"):
        parse_command(f"melogit y ({many})#({many})")
