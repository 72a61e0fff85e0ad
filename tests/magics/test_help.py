"""Help: every command has a page, and every example on it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import html5lib
import pytest

from memagic.errors import CommandError
from memagic.magics.examples import EXAMPLES
from memagic.magics.help import help_names, help_page
from memagic.magics.notebook import Notebook
from memagic.magics.topic import SECTIONS
from memagic.magics.topics import TOPICS
from memagic.spec.options import COMMANDS, options_of
from memagic.spec.slips import UNKNOWN_MODELS

if TYPE_CHECKING:
    from conftest import Shell


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_on_the_page(name: str) -> None:
    text = str(help_page(name))
    for spec in options_of(name, "fixed", "random", "global"):
        assert spec.name in text
        assert spec.help in " ".join(text.split())
    for choice in ("unstructured", "mvaghermite"):
        assert choice in text


def test_every_topic_has_an_example_and_a_section() -> None:
    assert set(EXAMPLES) == set(TOPICS)
    assert {topic.section for topic in TOPICS.values()} == set(SECTIONS)


@pytest.mark.parametrize("name", TOPICS)
def test_the_examples_run(name: str, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Some write files.
    monkeypatch.chdir(tmp_path)
    for example in EXAMPLES[name]:
        for cell in example.cells:
            shell.value(cell)
        lines = {line.strip() for line in str(help_page(name)).split("\n")}
        assert {line.strip() for line in example.code.split("\n")} <= lines


def test_every_magic_has_a_page(shell: Shell) -> None:
    assert shell.value("%help") is not None
    names = {name.rstrip(":,") for _, name, _ in Notebook(shell.ip).magics()}
    assert names - set(UNKNOWN_MODELS) <= set(help_names())
    assert "type melogit" in shell.ip.object_inspect("%xtmelogit")["docstring"]


def test_contents_have_every_topic_in_one_line() -> None:
    text = str(help_page())
    for topic in TOPICS.values():
        assert topic.title in text


def test_html_is_valid() -> None:
    for name in ("", *TOPICS):
        html = help_page(name)._repr_mimebundle_()["text/html"]
        page = f'<!DOCTYPE html><html lang="en"><head><title>t</title></head><body>{html}</body></html>'
        html5lib.HTMLParser(strict=True).parse(page)


@pytest.mark.parametrize(
    "typed", ["melogit", "%melogit", "%%melogit", " melogit ", "melogit?", "svy:", "est"]
)
def test_names(typed: str) -> None:
    assert help_page(typed).title


def test_an_unknown_command() -> None:
    with pytest.raises(CommandError) as raised:
        help_page("melogitt")
    assert (raised.value.rc, raised.value.hint) == (111, "did you mean melogit?")
