"""The grammar of estat."""

from __future__ import annotations

import pytest

from memagic import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.estat import read_estat


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("estat icc", "icc", {}),
        ("estat icc, level(90)", "icc", {"level": 90.0}),
        ("estat sd, verb l(99.5)", "sd", {"verbose": True, "level": 99.5}),
        ("estat ic, n(60)", "ic", {"n": 60.0}),
        ("estat vce, corr", "vce", {"correlation": True}),
        ("estat su", "summarize", {}),
        ("estat gr", "group", {}),
        ("estat recov, relevel(school)", "recovariance", {}),
        ("estat wcor", "wcorrelation", {}),
    ],
)
def test_subcommands(text: str, name: str, options: dict[str, object]) -> None:
    found = read_estat(Cursor(text))
    assert (found.name, found.options) == (name, options)


@pytest.mark.parametrize(
    ("text", "message", "span"),
    [
        ("estat", "subcommand required", (5, 6)),
        ("estat ico", "invalid subcommand ico", (6, 9)),
        ("estat icc, verbose", "option verbose not allowed", (11, 18)),
        ("estat icc, level", "option level() incorrectly specified", (11, 16)),
        ("estat icc, level(9 9)", "option level() incorrectly specified", (11, 21)),
        ("estat ic, n(3) n(4)", "option n specified more than once", (15, 16)),
        ("estat group schools", "invalid 'schools'", (12, 19)),
    ],
)
def test_mistakes(text: str, message: str, span: tuple[int, int]) -> None:
    with pytest.raises(CommandError) as raised:
        read_estat(Cursor(text))
    assert raised.value.message == message
    assert raised.value.span == span
    assert raised.value.rc == 198
