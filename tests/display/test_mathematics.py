"""Formulas in LaTeX and as plain text."""

from __future__ import annotations

import pytest

from memagic.display.mathematics import matrix, name, number, subscripted, symbol, words


def test_names_are_upright_with_underscores_escaped() -> None:
    assert name("c_use").tex == r"\mathrm{c\_use}"
    assert name("c_use").plain == "c_use"
    # pdflatex has no letters with accents in math, and has them in text.
    assert name("größe").tex == r"\text{größe}"


def test_words_have_nothing_special_inside_text() -> None:
    found = words("5% & #1_a {b} $^~\\ <c>").tex
    inside = [part.split("}")[0] for part in found.split(r"\text{")[1:]]
    assert not set("".join(inside)) & set("%&#_{}$^~\\<>")
    for macro in (r"\%", r"\&", r"\#", r"\_", r"\{", r"\}", r"\$"):
        assert macro in found


@pytest.mark.parametrize(
    ("value", "tex", "plain"),
    [
        (0.5, "0.5000", "0.5000"),
        (-1.71165, "-1.712", "-1.712"),
        (2.0, "2.000", "2.000"),
        (0.0, "0", "0"),
        (1234.56, "1235", "1235"),
        (1.5e-7, r"1.5 \times 10^{-7}", "1.5e-07"),
        (2.25e9, r"2.25 \times 10^{9}", "2.25e+09"),
    ],
)
def test_numbers(value: float, tex: str, plain: str) -> None:
    assert number(value).tex == tex
    assert number(value).plain == plain


def test_subscripts() -> None:
    u = symbol("u")
    assert subscripted(u, "0", "jk") == symbol("u_{0jk}", "u0[j,k]")
    assert subscripted(u, "j") == symbol("u_{j}", "u[j]")
    assert subscripted(u, "") == u


def test_matrices() -> None:
    a, b = symbol("a"), symbol("b")
    assert matrix([[a, b], [b, a]]).tex == r"\begin{pmatrix} a & b \\ b & a \end{pmatrix}"
    assert matrix([[a, b], [b, a]]).plain == "[a, b; b, a]"
    assert matrix([[a], [b]]).plain == "(a, b)'"
    # amsmath's matrices end at ten columns.
    assert r"\begin{array}{ccccccccccc}" in matrix([[a] * 11] * 11).tex
