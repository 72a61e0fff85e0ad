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
