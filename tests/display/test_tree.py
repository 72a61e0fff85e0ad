"""Trees of groups as text and as SVG."""

from __future__ import annotations

from xml.etree import ElementTree

from memagic.display.tree import Box, Nesting, nesting_svg, nesting_text

SVG = "{http://www.w3.org/2000/svg}"
NESTED = Nesting(
    (
        Box("school", ("28 groups",)),
        Box("class", ("135 groups", "random: _cons")),
        Box("observation", ("1,600",)),
    ),
    (),
    "observation in class in school",
)
CROSSED = Nesting(
    (Box("pid", ("148 groups",)), Box("observation", ("3,435",))),
    ((-1, Box("sid", ("19 groups",))), (0, Box("a<b", ("3 values within pid",)))),
    "crossed",
    "sid × pid: 303 of 2,812 combinations occur.",
)


def test_nested_text() -> None:
    assert nesting_text(NESTED).splitlines() == [
        "school              28 groups",
        "└─ class            135 groups; random: _cons",
        "   └─ observation   1,600",
    ]


def test_crossed_text() -> None:
    assert nesting_text(CROSSED).splitlines() == [
        "sid ×            19 groups",
        "pid              148 groups",
        "├─ a<b ×         3 values within pid",
        "└─ observation   3,435",
        "sid × pid: 303 of 2,812 combinations occur.",
    ]


def test_svg_says_all_that_the_text_says() -> None:
    for nesting in (NESTED, CROSSED):
        root = ElementTree.fromstring(nesting_svg(nesting))
        assert root.get("role") == "img"
        title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None
        assert desc is not None
        assert title.text == nesting.title
        assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
        assert desc.text == nesting_text(nesting)
        shown = [text.text for text in root.iter(f"{SVG}text")]
        for box in (*nesting.chain, *(box for _, box in nesting.crossed)):
            assert box.name in shown
            assert set(box.lines) <= set(shown)


def test_svg_has_the_pages_colour_and_stays_inside() -> None:
    for nesting in (NESTED, CROSSED):
        text = nesting_svg(nesting)
        assert "#" not in text
        root = ElementTree.fromstring(text)
        width, height = (float(value) for value in str(root.get("viewBox")).split()[2:])
        boxes = [
            [float(str(r.get(a))) for a in ("x", "y", "width", "height")] for r in root.iter(f"{SVG}rect")
        ]
        for x, y, wide, high in boxes:
            assert 0 <= x < x + wide <= width
            assert 0 <= y < y + high <= height
        # No two boxes overlap.
        for k, (x, y, wide, high) in enumerate(boxes):
            for left, top, other_wide, other_high in boxes[k + 1 :]:
                apart = x + wide <= left or left + other_wide <= x or y + high <= top or top + other_high <= y
                assert apart
        # From school to class to observation; from pid, sid and a<b to observation, and to a<b from pid.
        assert len(list(root.iter(f"{SVG}path"))) == (2 if nesting is NESTED else 4)


def test_one_drawing_one_name() -> None:
    assert nesting_svg(NESTED) == nesting_svg(NESTED)
    assert nesting_svg(NESTED).split('id="')[1] != nesting_svg(CROSSED).split('id="')[1]
