"""The groups of models, counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

import memagic
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n = 120
    school = np.repeat([0, 1, 2], [30, 40, 50])
    return pd.DataFrame(
        {"y": rng.normal(size=n), "x": rng.normal(size=n), "school": school, "room": np.arange(n) % 4}
    ).assign(rater=np.arange(n) % 7)


def test_nested_counts() -> None:
    found = memagic.run("meglm y x || school: x || room:, iterate(2)", data=frame()).diagram()
    school, room, observation = found.nesting.chain
    assert (school.name, school.lines) == (
        "school",
        ("3 groups", "30 to 50 observations each", "random: x, _cons"),
    )
    assert room.name == "room"
    assert room.lines[:2] == ("12 groups", "4 in each school")
    sizes = frame().groupby(["school", "room"]).size()
    assert room.lines[2] == f"{sizes.min()} to {sizes.max()} observations each"
    assert observation.lines == ("120",)
    assert found.nesting.title == "observation in room in school"
    assert found.nesting.note == ""


def test_crossed_counts(fitted: Fitted) -> None:
    found = fitted("meglm attain_gt_6 sex, family(bernoulli) || _all: R.sid || pid:", "fifeschool").diagram()
    data = fitted("meglm attain_gt_6 sex, family(bernoulli) || _all: R.sid || pid:", "fifeschool")
    ((place, box),) = found.nesting.crossed
    assert place == -1
    assert (box.name, box.lines[0], box.lines[-1]) == ("sid", "19 groups", "random: _cons")
    assert [unit.name for unit in found.nesting.chain] == ["pid", "observation"]
    sid = data.estimates.design.levels[0].equations[0].codes
    pid = data.estimates.design.levels[1].grouping.codes
    pairs = len({*zip(sid, pid, strict=True)})
    assert found.nesting.note == f"sid × pid: {pairs} of 2,812 combinations occur."
    assert found.nesting.title == "observation in pid, crossed with sid"


def test_a_factor_within_groups() -> None:
    found = memagic.run("meglm y x || school: R.rater, iterate(2)", data=frame()).diagram()
    ((place, box),) = found.nesting.crossed
    assert place == 0
    assert box.lines[0] == "7 values within school"
    # No effects of its own.
    assert found.nesting.chain[0].lines == ("3 groups", "30 to 50 observations each")


def test_effects_of_all_observations_are_noted() -> None:
    found = memagic.run("meglm y || _all: x, noconstant || school:, iterate(2)", data=frame()).diagram()
    assert found.nesting.note == "Random for all observations: x."
    assert [unit.name for unit in found.nesting.chain] == ["school", "observation"]


def test_a_plain_model_and_the_forms() -> None:
    found = memagic.run("meglm y x", data=frame()).diagram()
    assert str(found) == repr(found) == "observation   120"
    bundle = found._repr_mimebundle_()
    assert bundle["text/plain"] == str(found)
    assert found.to_svg() in bundle["text/html"]


def test_the_rich_form_has_the_note(fitted: Fitted) -> None:
    found = fitted("meglm attain_gt_6 sex, family(bernoulli) || _all: R.sid || pid:", "fifeschool").diagram()
    after = found.to_html().split("</svg>")[1]
    assert found.nesting.note in after
