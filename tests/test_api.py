"""The commands as functions."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cached_property

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


def public_functions() -> list[tuple[str, Callable[..., object]]]:
    """The functions of the package, and the public methods of its classes, by name."""
    found: list[tuple[str, Callable[..., object]]] = []
    for name in memagic.__all__:
        value = getattr(memagic, name)
        if inspect.isclass(value):
            members = inspect.getmembers(value, inspect.isfunction)
            found += [(f"{name}.{member}", function) for member, function in members if member[0] != "_"]
        elif inspect.isfunction(value):
            found.append((name, value))
    return found


def section(documentation: str, title: str) -> str:
    """A section of a numpydoc string, without its title; empty where it is not there."""
    match = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", documentation, flags=re.M | re.S)
    return match.group(1) if match else ""


@pytest.mark.parametrize(
    ("name", "function"), public_functions(), ids=[name for name, _ in public_functions()]
)
def test_what_is_public_is_documented(name: str, function: Callable[..., object]) -> None:
    """One sentence at least; parameters that a section names are those there are, and none is forgotten."""
    documentation = inspect.getdoc(function)
    assert documentation
    assert documentation.partition("\n")[0].strip()
    signature = inspect.signature(function)
    parameters = [parameter for parameter in signature.parameters if parameter != "self"]
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(signature.parameters[each].annotation is not inspect.Parameter.empty for each in parameters)
    described = re.findall(
        r"^(\*{0,2}\w[\w, *]*?)(?: :.*)?$", section(documentation, "Parameters"), flags=re.M
    )
    named = [each.strip(" *") for names in described for each in names.split(",")]
    if named:
        assert named == parameters


def test_functions_of_the_package_have_sections() -> None:
    """What is called without an object has its parameters and errors listed, or says where they are."""
    documented = 0
    for name, function in public_functions():
        if "." in name or name.endswith("load_ipython_extension"):
            continue
        documentation = inspect.getdoc(function) or ""
        elsewhere = re.search(r"see `([\w.]+)`", documentation)
        if elsewhere:
            home = named_by(elsewhere.group(1))
            documentation = inspect.getdoc(home) or ""
        assert section(documentation, "Parameters"), name
        assert section(documentation, "Raises"), name
        documented += 1
    assert documented == 12


def named_by(name: str) -> object:
    """What a dotted name of the package stands for."""
    value: object = memagic
    for part in name.split("."):
        value = getattr(value, part)
    return value


def test_every_property_is_documented() -> None:
    kinds = (property, cached_property)
    properties = inspect.getmembers(memagic.MEResults, lambda member: isinstance(member, kinds))
    public = {name: inspect.getdoc(value) for name, value in properties if name[0] != "_"}
    assert {"params", "bse", "llf", "e", "table"} <= set(public)
    assert [name for name, documentation in public.items() if not documentation] == []


def test_the_import_is_light() -> None:
    """Neither IPython nor pandas comes with the package, nor pandas with the extension."""
    code = (
        "import sys, memagic; assert not {'IPython', 'pandas', 'numpy'} & set(sys.modules)\n"
        "import memagic.magics; assert not {'pandas', 'scipy', 'statsmodels'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_import_is_quick() -> None:
    code = "import time; began = time.perf_counter(); import memagic; print(time.perf_counter() - began)"
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(seconds) < 0.3
