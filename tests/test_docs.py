"""Pages that are made by scripts say what the package says."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

from memagic.magics.help import help_names
from memagic.magics.topics import TOPICS

Checkout = Callable[[str], Path]


def test_the_table_of_commands_is_current(checkout: Checkout) -> None:
    made = runpy.run_path(str(checkout("scripts/make_commands.py")))
    assert checkout("docs/commands.md").read_text(encoding="utf-8") == made["page"](), (
        "run scripts/make_commands.py"
    )


def test_every_command_has_a_row(checkout: Checkout) -> None:
    text = checkout("docs/commands.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    # The head is one of them.
    assert len(rows) == 1 + len(TOPICS)
    # No bar within a cell ends it.
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}
    for topic in TOPICS.values():
        assert topic.title.replace("_", "\\_") in text
    assert "meglm" in help_names()
    assert "docs/commands.md" in checkout("README.md").read_text(encoding="utf-8")
