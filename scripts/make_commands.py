"""Write docs/commands.md: one table of all commands, from the topics of the help."""

from __future__ import annotations

from pathlib import Path

from memagic.magics.topic import SECTIONS, Topic
from memagic.magics.topics import TOPICS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"

HEAD = """# All commands

Made by `scripts/make_commands.py` from the help:
`%help command` shows a command with its options and examples.
"""


def page() -> str:
    """The page in Markdown."""
    lines = [HEAD, "| | command | what it does | what may be typed |", "|---|---|---|---|"]
    for section in SECTIONS:
        heading = f"**{section}**"
        for name, topic in TOPICS.items():
            if topic.section == section:
                lines.append(_row(heading, name, topic))
                heading = ""
    return "\n".join(lines) + "\n"


def _row(heading: str, name: str, topic: Topic) -> str:
    names = ", ".join(code(one) for one in topic.names or (name,))
    typed = "<br>".join(f"{code(typed)} {words(what)}".strip() for typed, what in topic.syntax)
    return f"| {heading} | {names} | {words(topic.title)} | {typed} |"


def code(text: str) -> str:
    """Code within a cell of a table, which a bar would end."""
    return "`" + text.replace("|", "\\|") + "`"


def words(text: str) -> str:
    """Words that no mark of theirs makes into anything else."""
    for mark in "\\|*_<>[]$":
        text = text.replace(mark, "\\" + mark)
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
