"""The commands as functions."""

from __future__ import annotations

import subprocess
import sys

import pytest

import memagic
from memagic import CommandError, datasets

MODEL = "c_use age || district:"


def test_a_function_is_its_command() -> None:
    frame = datasets.load("bangladesh")
    by_text = memagic.run(f"melogit {MODEL}, or level(90) intpoints(3)", frame)
    by_name = memagic.melogit(MODEL, frame, or_=True, level=90, intpoints=3)
    assert str(by_name) == str(by_text)
    assert str(memagic.melogit(f"{MODEL}, or", "bangladesh", level=90, intpoints=3)) == str(by_text)


def test_options_go_to_their_equation() -> None:
    frame = datasets.load("bangladesh").assign(days=2.0)
    by_name = memagic.mepoisson(
        "c_use age || district: urban", frame, exposure="days", cov="uns", nocons=True
    )
    text = "mepoisson c_use age, exposure(days) noconstant || district: urban, covariance(unstructured)"
    assert str(by_name) == str(memagic.run(text, frame))
    assert str(memagic.melogit("c_use age", frame, offset="days")) == str(
        memagic.run("melogit c_use age, offset(days)", frame)
    )


def test_what_is_not_asked_for_is_left_out() -> None:
    shown = memagic.meprobit(MODEL, "bangladesh", or_=False, level=None, noheader=True)
    assert "Number of obs" not in str(shown)
    assert "95%" in str(shown)


@pytest.mark.parametrize("name", ["meglm", "melogit", "meprobit", "mecloglog", "mepoisson"])
def test_every_command(name: str) -> None:
    result = getattr(memagic, name)(MODEL, "bangladesh", intmethod="laplace")
    assert result.estimates.command.name == name
    assert result.nobs == 1934


def test_the_data_stay_as_they_are() -> None:
    frame = datasets.load("bangladesh")
    before = frame.copy(deep=True)
    memagic.melogit("c_use i.urban c.age#c.age || district:", frame)
    assert frame.equals(before)
    assert list(frame.columns) == list(before.columns)


@pytest.mark.parametrize("text", ["use bangladesh", "melogit, or", ""])
def test_one_estimation_command(text: str) -> None:
    with pytest.raises(CommandError):
        memagic.run(text, "bangladesh")


def test_names() -> None:
    assert set(memagic.__all__) <= set(dir(memagic))
    for name in memagic.__all__:
        assert getattr(memagic, name) is not None
    with pytest.raises(AttributeError, match="mixed"):
        _ = memagic.mixed


def test_the_import_is_light() -> None:
    """Neither IPython nor pandas comes with the package, nor pandas with the extension."""
    code = (
        "import sys, memagic; assert not {'IPython', 'pandas', 'numpy'} & set(sys.modules)\n"
        "import memagic.magics; assert not {'pandas', 'scipy', 'statsmodels'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
