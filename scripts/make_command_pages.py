"""Pages of the documentation, one a command, from the tables that the parser and the help go by.

What an example shows is computed when the documentation is built: its cells are code of the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scripts.make_commands import code, words
from scripts.option_words import WORDS
from scripts.stored_results import ESTIMATION, OTHERWISE, R

from memagic.commands import marginsplot
from memagic.display.help_page import HelpTable
from memagic.magics.examples import EXAMPLES
from memagic.magics.topic import SECTIONS, Topic
from memagic.magics.topics import TOPICS
from memagic.postestimation import typed
from memagic.spec import lrtest, margins
from memagic.spec.command_options import Allowed
from memagic.spec.estat import SUBCOMMANDS
from memagic.spec.option import Choice
from memagic.spec.options import COMMANDS, DISPERSIONS, OPTIONS

__all__ = ["ALLOWED", "index_page", "pages"]

HEAD = """---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---
"""

ALLOWED: dict[str, Mapping[str, Allowed]] = {
    "test": typed._TEST,
    "testparm": typed._TESTPARM,
    "lincom": typed._LINCOM,
    "nlcom": {"level": typed.LEVEL},
    "contrast": typed._CONTRAST,
    "pwcompare": typed._CONTRAST,
    "lrtest": lrtest._ALLOWED,
    "margins": margins._ALLOWED,
    "marginsplot": marginsplot._ALLOWED,
}
"""The options that the parser of a command after estimation takes."""


def pages() -> dict[str, str]:
    """The pages in Markdown, by the name of their topic."""
    return {name: "\n".join(_page(name, topic)).rstrip() + "\n" for name, topic in TOPICS.items()}


def index_page() -> str:
    """The list of the pages, by section, with a table of contents for each."""
    lines = ["# Commands", "", "[All of them in one table](../commands.md).", ""]
    for section in SECTIONS:
        names = [name for name, topic in TOPICS.items() if topic.section == section]
        lines += [f"## {section}", ""]
        lines += [f"- [{_heading(name, TOPICS[name])}]({name}.md): {TOPICS[name].title}" for name in names]
        lines += ["", "```{toctree}", ":hidden:", "", *names, "```", ""]
    return "\n".join(lines)


def _heading(name: str, topic: Topic) -> str:
    return ", ".join(topic.names or (name,))


def _page(name: str, topic: Topic) -> Iterator[str]:
    yield HEAD
    yield f"# {_heading(name, topic)}\n"
    yield f"{words(topic.title)}.\n"
    yield from _syntax(topic)
    for table in topic.tables:
        yield from _table(table)
    if name in COMMANDS:
        yield from _choices(name)
    if name in ALLOWED:
        yield from _allowed(name)
    if name == "estat":
        yield from _subcommands()
    for note in topic.notes:
        # What the options do stands in their table, where there is one.
        if not (name in ALLOWED and note.startswith(("Options:", "Other options:", "Option level"))):
            yield f"{words(note)}\n"
    yield from _stored(name)
    yield from _examples(name)


def _syntax(topic: Topic) -> Iterator[str]:
    yield "## Syntax\n"
    yield "| type | for |"
    yield "|---|---|"
    for typed_, what in topic.syntax:
        yield f"| {code(typed_)} | {words(what)} |"
    yield ""


def _table(table: HelpTable) -> Iterator[str]:
    if any(row[1] for row in table.rows):
        yield f"## {table.title}\n"
        yield "| option | shortest form | |"
        yield "|---|---|---|"
        for typed_, short, text in table.rows:
            least = short.strip("()") or typed_.partition("(")[0]
            yield f"| {code(typed_)} | {code(least)} | {words(text)} |"
    else:
        yield f"## {table.title}\n"
        yield "| | |"
        yield "|---|---|"
        for typed_, _, text in table.rows:
            yield f"| {code(typed_)} | {words(text)} |"
    yield ""


def _choices(name: str) -> Iterator[str]:
    """Words that options take, with their shortest forms."""
    rows = [(spec.shown, spec.choices) for spec in OPTIONS if spec.choices and spec.allows(name)]
    if name == "meglm":
        rows.append(("family(nbinomial)", DISPERSIONS))
    yield "## Words in parentheses\n"
    yield "The part that must be typed is bold.\n"
    yield "| option | words |"
    yield "|---|---|"
    for shown, choices in rows:
        yield f"| {code(shown)} | {', '.join(map(_least, choices))} |"
    yield ""


def _least(choice: Choice) -> str:
    typed_, rest = choice.name[: choice.minimum], choice.name[choice.minimum :]
    return f"**{typed_}**{rest}"


def _allowed(name: str) -> Iterator[str]:
    """Options by the parser's table; `option_words.WORDS` says what they do."""
    yield "## Options\n"
    yield "| option | shortest form | |"
    yield "|---|---|---|"
    for option, allowed in ALLOWED[name].items():
        argument, text = WORDS[name][option]
        shown = {"none": option, "required": f"{option}({argument})", "optional": f"{option}[({argument})]"}
        again = "; may be given more than once" if allowed.repeated else ""
        shown_ = code(shown[allowed.argument])
        yield f"| {shown_} | {code(option[: allowed.least])} | {words(text)}{again} |"
    yield ""


def _subcommands() -> Iterator[str]:
    yield "## Shortest forms\n"
    yield "| after estat | shortest form | its options |"
    yield "|---|---|---|"
    for name, one in SUBCOMMANDS.items():
        options = ", ".join(f"{code(o.name)} ({code(o.name[: o.minimum])}): {o.help}" for o in one.options)
        yield f"| {code(name)} | {code(name[: one.minimum])} | {options} |"
    yield ""


def _stored(name: str) -> Iterator[str]:
    yield "## What it stores\n"
    if name in COMMANDS:
        yield "The result is the value of the magic, or that of the Python function: see"
        yield "[the Python API](../api/results.md). `fit.e` has under the manual's names, where they apply:\n"
        for title, names in ESTIMATION.items():
            yield f"**{title}**\n"
            yield from _names("e", names)
    elif name == "estat":
        yield "The value of the magic has these in its `r`:\n"
        for subcommand in SUBCOMMANDS:
            yield f"**estat {subcommand}**\n"
            yield from _names("r", R[f"estat {subcommand}"])
    elif name in R:
        yield "The value of the magic has these in its `r`, where they apply:\n"
        yield from _names("r", R[name])
    else:
        yield OTHERWISE[name] + "\n"


def _names(where: str, names: Mapping[str, str]) -> Iterator[str]:
    yield "| name | |"
    yield "|---|---|"
    for name, text in names.items():
        yield f"| {code(f'{where}({name})')} | {words(text)} |"
    yield ""


def _examples(name: str) -> Iterator[str]:
    examples = EXAMPLES[name]
    yield "## Examples\n" if len(examples) > 1 else "## Example\n"
    yield "```{code-cell}\n:tags: [remove-output]\n\n%load_ext memagic\n```\n"
    for example in examples:
        if example.about:
            yield f"{words(example.about)}:\n"
        for cell in example.cells:
            yield f"```{{code-cell}}\n{cell}\n```\n"
