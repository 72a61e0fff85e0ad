"""Every estimation command that the manual's entries print is read, and read again as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from memagic.spec.parser import parse_command
from memagic.spec.printer import unparse
from memagic.spec.survey import SurveyPrefix, parse_survey, parse_survey_command
from memagic.spec.tree import VarianceEstimator, Weight

TEXT = (Path(__file__).parent / "manual_commands.txt").read_text(encoding="utf-8")
COMMANDS = [
    block for block in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n", "", TEXT).strip("\n")) if block.strip()
]
PREFIX = re.compile(r"^(?:\. )?svy: ")


def test_all_are_there():
    assert len(COMMANDS) == 39
    assert sum(PREFIX.match(command) is not None for command in COMMANDS) == 3


@pytest.mark.parametrize("text", COMMANDS)
def test_read_and_printed(text):
    if PREFIX.match(text):
        prefix, command = parse_survey_command(text)
        assert prefix == SurveyPrefix()
        assert command == parse_command(PREFIX.sub("", text))
    else:
        command = parse_command(text)
    assert len(command.random) == text.count("||")
    assert f"{command.name} {command.depvar.name} " in text
    assert parse_command(unparse(command)) == command


def test_survey_designs():
    """The two designs that the manual sets, with the stages that they name."""
    for text, stages in [
        ("svyset psu, weight(wvar3) || ssu, weight(wvar2) || _n, weight(wvar1)", ["psu", "ssu", "_n"]),
        (". svyset id_school, weight(wnrschbw) || _n, weight(pst1s1)", ["id_school", "_n"]),
    ]:
        assert [stage.unit for stage in parse_survey(text).stages] == stages


def read(start):
    (text,) = [text for text in COMMANDS if text.removeprefix(". ").startswith(start)]
    return parse_command(text)


def test_what_some_of_them_say():
    weighted = read("meglm pass_read")
    assert isinstance(weighted.fixed.weight, Weight)
    assert weighted.fixed.weight.kind == "pweight"
    assert weighted.random[0].options["pweight"].value == "wnrschbw"
    assert weighted.options["family"].value == ("bernoulli",)
    assert len(weighted.fixed.terms) == 8
    robust = read("meglm y x1 x2")
    assert robust.options["vce"].value == VarianceEstimator("robust")
    crossed = read("melogit attain_gt_6 sex || _all:R.pid")
    assert [(e.level, e.factor) for e in crossed.random] == [("_all", "pid"), ("_all", "sid")]
    without = read("melogit c_use ibn.urban")
    assert "noconstant" in without.fixed.options
    assert "noconstant" in without.random[0].options
    assert without.fixed.terms[0].operands[0].base == "none"
