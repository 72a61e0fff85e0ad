"""Small tables of any kind, as text and HTML."""

from __future__ import annotations

from memagic.display.grid_table import GridRow, GridTable, grid_html, grid_text

TABLE = GridTable(
    "Title",
    ("one", "two\nlines"),
    (GridRow("first", ("1", "2")), GridRow("second", ("", "22222222"), indented=True, ruled=True)),
    ("A note.",),
)


def test_text() -> None:
    assert grid_text(TABLE) == (
        "Title\n"
        "\n"
        "-----------------------------\n"
        "             |            two\n"
        "             |  one     lines\n"
        "-------------+---------------\n"
        "       first |    1         2\n"
        "-------------+---------------\n"
        "      second |       22222222\n"
        "-----------------------------\n"
        "A note."
    )


def test_without_rows() -> None:
    bare = GridTable("Title", notes=("word " * 30,))
    lines = grid_text(bare).splitlines()
    assert lines[0] == "Title"
    assert all(len(line) <= 78 for line in lines)
    assert "<table" not in grid_html(bare)


def test_html() -> None:
    html = grid_html(TABLE)
    assert '<th scope="col">two<br>lines</th>' in html
    assert '<tr><th scope="row">first</th><td>1</td><td>2</td></tr>' in html
    assert '<tr class="memagic-in"><th scope="row">second</th>' in html
    assert html.count("<tbody>") == 2


def test_names_are_escaped_and_stay_on_their_line() -> None:
    odd = GridTable("a<b", ("<i>",), (GridRow("x\n<y>", ("1 < 2",)),), ("a & b",))
    html = grid_html(odd)
    for text in ("a&lt;b", "&lt;i&gt;", "x &lt;y&gt;", "1 &lt; 2", "a &amp; b"):
        assert text in html
    assert "x <y> |" in grid_text(odd)


STACKED = GridTable(
    "Title",
    ("one", "two"),
    (
        GridRow("Part", heading=True, ruled=True),
        GridRow("x", ("1.25\n.5", "-.125***"), indented=True),
        GridRow("z", ("", "12\n(constrained)"), indented=True),
        GridRow("Rest", heading=True, ruled=True),
        GridRow("ll", ("-10.5", "."), indented=True),
    ),
)


def test_headings_and_stacked_cells() -> None:
    assert grid_text(STACKED).splitlines()[4:] == [
        "-------------+----------------------",
        "Part         |",
        "           x |   1.25       -.125***",
        "             |     .5",
        "           z |                    12",
        "             |         (constrained)",
        "-------------+----------------------",
        "Rest         |",
        "          ll |  -10.5              .",
        "------------------------------------",
    ]


def test_points_below_each_other_between_rules() -> None:
    html = grid_html(STACKED)
    assert '<th scope="rowgroup" colspan="3" class="memagic-group">Part</th>' in html
    assert (
        '<tr class="memagic-in"><th scope="row" rowspan="2">x</th><td>1.25</td><td>-.125***</td></tr>' in html
    )
    assert '<tr class="memagic-below"><td class="memagic-s1">.5</td><td></td></tr>' in html
    assert '<td></td><td class="memagic-s6">12</td></tr>' in html
    assert "<td></td><td>(constrained)</td></tr>" in html
    assert "<td>-10.5</td><td>.</td></tr>" in html
    assert html.count("<tbody>") == 2
