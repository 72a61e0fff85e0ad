"""The grammar of predict."""

from __future__ import annotations

import pytest

from memagic import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.predict import PredictCommand, read_predict
from memagic.spec.prediction import MODIFIERS, STATISTICS, Request, check_request


def read(text: str) -> PredictCommand:
    return read_predict(Cursor(text))


def test_a_name_is_enough() -> None:
    command = read("predict p")
    assert command.assumed
    assert command.dtype == "double"
    assert command.request == Request()
    assert [name for name, _ in command.new.names] == ["p"]


def test_everything_in_its_place() -> None:
    command = read(
        "predict float p1 p2 if age > 3 in 1/20, pr outcome(#2) cond(ebmodes) nooff iter(3) tol(1e-5)"
    )
    assert command.dtype == "float"
    assert [name for name, _ in command.new.names] == ["p1", "p2"]
    assert command.condition is not None
    assert command.rows is not None
    assert command.request == Request("pr", 2, "ebmodes", offset=False, iterate=3, tolerance=1e-5)
    assert not command.assumed


def test_a_type_may_be_a_name() -> None:
    assert [name for name, _ in read("predict float, xb").new.names] == ["float"]
    assert [name for name, _ in read("predict double if x").new.names] == ["double"]


def test_outcome_by_number_and_by_value() -> None:
    by_number, by_value = read("predict p, outcome(#3)").request, read("predict p, out(-3)").request
    assert (by_number.outcome, type(by_number.outcome)) == (3, int)
    assert (by_value.outcome, type(by_value.outcome)) == (-3.0, float)


def test_random_effects_with_standard_errors() -> None:
    command = read("predict u*, reffects ebmodes reses(se_a se_b)")
    assert command.new.stub == "u"
    assert command.request.statistic == "reffects"
    assert command.request.conditional == "ebmodes"
    assert command.ses is not None
    assert [name for name, _ in command.ses.names] == ["se_a", "se_b"]


@pytest.mark.parametrize("option", STATISTICS, ids=lambda option: option.name)
def test_statistics_may_be_shortened(option: object) -> None:
    name, minimum = option.name, option.minimum  # type: ignore[attr-defined]
    for length in range(minimum, len(name) + 1):
        assert read(f"predict p, {name[:length]}").request.statistic == name
    if minimum > 2:
        with pytest.raises(CommandError) as raised:
            read(f"predict p, {name[: minimum - 1]}")
        assert raised.value.rc == 198


def test_no_two_options_share_a_shortest_form() -> None:
    known = (*STATISTICS, *MODIFIERS)
    for one in known:
        short = one.name[: one.minimum]
        assert [o.name for o in known if len(short) >= o.minimum and o.name.startswith(short)] == [one.name]


@pytest.mark.parametrize(
    ("text", "message", "marked"),
    [
        ("predict", "newvarlist required", ""),
        ("predict , xb", "newvarlist required", ""),
        ("predict int p", "type int not allowed", "int"),
        ("predict p, mu xb", "only one statistic may be specified: mu or xb", "xb"),
        ("predict p, marginal cond(ebmeans)", "options conditional and marginal may not", "cond(ebmeans)"),
        ("predict p, xb marginal", "option marginal may not be combined with xb", "marginal"),
        ("predict p, pearson marginal", "option marginal may not be combined with pearson", "marginal"),
        ("predict p, cond(means)", "option conditional() incorrectly specified", "cond(means)"),
        ("predict p, outcome(#1.5)", "option outcome() incorrectly specified", "outcome(#1.5)"),
        ("predict p, intpoints(0)", "intpoints() must be between 1 and 195", "intpoints(0)"),
        ("predict p, marginal iter(3)", "iterate() has nothing to do", "iter(3)"),
        ("predict p, reses(s*)", "option reses() needs reffects", "reses(s*)"),
        ("predict p, blup", "option blup not allowed", "blup"),
        ("predict p, den(3)", "option density() incorrectly specified", "den(3)"),
        ("predict p p", "p is there twice", "p"),
        ("predict a* b", "invalid 'a*'", "a*"),
        ("predict p xb = 3", "invalid '='", "="),
        ("predict p, mu mu", "option mu specified more than once", "mu"),
    ],
)
def test_mistakes(text: str, message: str, marked: str) -> None:
    with pytest.raises(CommandError) as raised:
        read(text)
    assert message in raised.value.message
    assert raised.value.span is not None
    if marked:
        assert text[slice(*raised.value.span)] == marked


def test_requests_from_python_are_checked_alike() -> None:
    for request, words in (
        (Request("mean"), "statistic mean not allowed"),
        (Request(conditional="modes"), "conditional(modes) not allowed"),  # type: ignore[arg-type]
        (Request("stdp", offset=False), "option nooffset may not be combined with stdp"),
        (Request(tolerance=0.0), "tolerance() must be greater than zero"),
        (Request(n_points=5, conditional="ebmodes"), "option intpoints() has nothing to do"),
    ):
        with pytest.raises(CommandError) as raised:
            check_request(request)
        assert words in raised.value.message
