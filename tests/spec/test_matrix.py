"""The command `matrix`: what is read, and what is refused at which place."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memagic.errors import CommandError
from memagic.spec.matrix import parse_matrix_command


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (r"matrix A = (1, . \ 0, 1)", ((1, None), (0, 1))),
        (r"matrix A=(1,.\0,1)", ((1, None), (0, 1))),
        ("mat define A = (-1, .5e1, 2.)", ((-1, 5, 2),)),
        ("matrix A = (1 \\\n 2)", ((1,), (2,))),
        ("matrix A = 3", ((3,),)),
        ("matrix A = I(2)", ((1, 0), (0, 1))),
        ("matrix A = J(2, 3, .)", ((None,) * 3,) * 2),
        ("matrix list = (1)", ((1,),)),
    ],
)
def test_definitions(text: str, rows: tuple[tuple[float | None, ...], ...]) -> None:
    read = parse_matrix_command(text)
    assert read.action == "define"
    assert [[None if math.isnan(x) else x for x in row] for row in read.rows] == [list(row) for row in rows]


@pytest.mark.parametrize(
    ("text", "action", "names"),
    [
        ("matrix list A", "list", ("A",)),
        ("matrix list A B", "list", ("A", "B")),
        ("matrix drop A", "drop", ("A",)),
        ("matrix drop _all", "drop", ()),
        ("matrix dir", "dir", ()),
    ],
)
def test_other_commands(text: str, action: str, names: tuple[str, ...]) -> None:
    read = parse_matrix_command(text)
    assert (read.action, read.names) == (action, names)


# The place is marked by « and ».
@pytest.mark.parametrize(
    ("marked", "rc"),
    [
        ("matrix«»", 198),
        ("matrix A«»", 198),
        ("matrix A =«»", 198),
        (r"matrix A = (1, «\» 2)", 198),
        (r"matrix A = (1, 2 \ «3»)", 503),
        (r"matrix A = (1 \ «2, 3»)", 503),
        ("matrix A = (1 «2»)", 198),
        ("matrix A = («a»)", 198),
        ("matrix A = (1, «-»)", 198),
        ("matrix A = (1) «+» 2", 198),
        ("matrix A = «K»(2)", 198),
        ("matrix A = I(«0»)", 198),
        ("matrix A = I(«1.5»)", 198),
        ("matrix A = I(«1000»)", 198),
        ("matrix A = J(2 «3»)", 198),
        ("matrix «3» = (1)", 198),
        ("matrix A = «(»1", 132),
        ("matrix list«»", 198),
        ("matrix dir «A»", 198),
    ],
)
def test_refused(marked: str, rc: int) -> None:
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(CommandError) as caught:
        parse_matrix_command(text)
    assert (caught.value.rc, caught.value.text) == (rc, text)
    assert caught.value.span is not None
    assert caught.value.span[0] == marked.index("«")
    assert text[slice(*caught.value.span)] == marked[marked.index("«") + 1 : marked.index("»")]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["A", "=", "(", ")", ",", "\\", ".", "1", "-", "I", "J", "list", " "]), max_size=10
    ).map("".join)
)
def test_anything_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(CommandError):
        parse_matrix_command(f"matrix {text}")
