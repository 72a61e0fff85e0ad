"""Pages of help from the tables of topics, options and examples: ``%help``, and what ``%melogit?`` shows."""

from __future__ import annotations

from memagic.display.help_page import HelpPage, HelpTable
from memagic.errors import CommandError, closest
from memagic.magics.examples import EXAMPLES
from memagic.magics.topic import SECTIONS
from memagic.magics.topics import TOPICS
from memagic.spec.in_python import in_python
from memagic.spec.slips import model_hint

__all__ = ["help_names", "help_page", "help_text"]


def help_page(name: str = "") -> HelpPage:
    """The help on a command, or the list of all commands.

    Parameters
    ----------
    name : str
        A command as it is typed, perhaps with percent signs; nothing for the list.

    Raises
    ------
    CommandError
        ``help for x not found``, r(111).
    """
    wanted = name.strip().lstrip("%").rstrip(":,?")
    if not wanted:
        return _contents()
    topic_name = _names().get(wanted)
    if topic_name is None:
        hint = model_hint(wanted) or in_python(wanted) or closest(wanted, _names())
        hint = hint or "type %help alone for all commands"
        raise CommandError(111, f"help for {wanted} not found", hint=hint)
    topic = TOPICS[topic_name]
    syntax = HelpTable("Syntax", tuple((typed, "", text) for typed, text in topic.syntax))
    examples = tuple((example.about, example.code) for example in EXAMPLES.get(topic_name, ()))
    title = f"{', '.join(topic.names or (topic_name,))}: {topic.title}"
    return HelpPage(title, (syntax, *topic.tables), topic.notes, examples)


def help_text(name: str) -> str:
    """The help on a command in plain characters, as a magic's docstring."""
    return str(help_page(name))


def help_names() -> tuple[str, ...]:
    """What there is help on."""
    return tuple(_names())


def _names() -> dict[str, str]:
    """Every name that help is found by, with its topic's."""
    found: dict[str, str] = {}
    for topic_name, topic in TOPICS.items():
        for name in (topic_name, *topic.names, *topic.others):
            found[name.strip("%:")] = topic_name
    return found


def _contents() -> HelpPage:
    """All commands by section, a line each."""
    tables = [
        HelpTable(
            section,
            tuple(
                (", ".join(topic.names or (name,)), "", topic.title)
                for name, topic in TOPICS.items()
                if topic.section == section
            ),
        )
        for section in SECTIONS
    ]
    notes = ("%help command shows one of them, its options and examples.",)
    return HelpPage("Commands of memagic", tuple(tables), notes)
