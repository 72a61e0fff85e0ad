"""Pages that are made by scripts say what the package says."""

from __future__ import annotations

import runpy
from pathlib import Path

from memagic.magics.help import help_names
from memagic.magics.topics import TOPICS

ROOT = Path(__file__).resolve().parents[1]


def test_the_table_of_commands_is_current() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "make_commands.py"))
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == made["page"](), (
        "run scripts/make_commands.py"
    )


def test_every_command_has_a_row() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    # The head is one of them.
    assert len(rows) == 1 + len(TOPICS)
    # No bar within a cell ends it.
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}
    for topic in TOPICS.values():
        assert topic.title.replace("_", "\\_") in text
    assert "meglm" in help_names()
    assert "docs/commands.md" in (ROOT / "README.md").read_text(encoding="utf-8")
