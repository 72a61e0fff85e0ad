"""A page of help as text and as HTML: what may be typed, tables of options, examples."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from memagic.display.rich import Rich
from memagic.display.style import STYLE

__all__ = ["HelpPage", "HelpTable"]

_WIDTH = 100
# Explanations begin here at the latest; what is typed at more length stands on a line of its own.
_FURTHEST = 44

_RULES = """
.memagic-report .memagic-help-part{margin:.9em 0 .2em;font-size:1em;font-weight:600}
.memagic-report table.memagic-help th,.memagic-report table.memagic-help td{text-align:left;
 vertical-align:top;white-space:normal;padding-top:.1em;padding-bottom:.1em}
.memagic-report table.memagic-help th:first-child{min-width:11em;padding-right:1em}
.memagic-report table.memagic-help td.memagic-short{opacity:.7}
.memagic-report table.memagic-help code,.memagic-report pre.memagic-example{background:none;color:inherit;
 padding:0;border:0;font-size:.95em}
.memagic-report table.memagic-help code{white-space:pre-wrap}
.memagic-report pre.memagic-example{margin:.1em 0 .5em;padding-left:1em;
 border-left:2px solid var(--memagic-hair);white-space:pre-wrap;line-height:1.4}
""".replace("\n ", "")


@dataclass(frozen=True, slots=True)
class HelpTable:
    """Rows under a title: what is typed, its short form, what it does."""

    title: str
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, repr=False)
class HelpPage(Rich):
    """What the help on one subject says.

    Attributes
    ----------
    title : str
    tables : tuple of HelpTable
    notes : tuple of str
        Paragraphs below the tables.
    examples : tuple of (str, str)
        What an example shows, and the lines of it.
    """

    title: str
    tables: tuple[HelpTable, ...] = ()
    notes: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()

    def to_text(self) -> str:
        """The page in plain characters."""
        return _page_text(self)

    def to_html(self) -> str:
        """One HTML fragment."""
        return _page_html(self)


def _page_text(page: HelpPage) -> str:
    """A page in plain characters."""
    lines = [page.title]
    for table in page.tables:
        lines += ["", table.title, *_aligned(table.rows)]
    for note in page.notes:
        lines += ["", *textwrap.wrap(note, _WIDTH, break_on_hyphens=False)]
    if page.examples:
        lines += ["", "Examples" if len(page.examples) > 1 else "Example"]
    for k, (about, code) in enumerate(page.examples):
        lines += [""] * (k > 0) + ([f"  {about}:"] if about else [])
        lines += [f"  {line}".rstrip() for line in code.split("\n")]
    return "\n".join(lines) + "\n"


def _aligned(rows: tuple[tuple[str, str, str], ...]) -> Iterator[str]:
    """Rows in columns, long explanations wrapped."""
    first = max((len(typed) for typed, _, _ in rows if len(typed) <= _FURTHEST), default=_FURTHEST)
    second = max(len(short) for _, short, _ in rows)
    start = 2 + first + 2 + (second + 2 if second else 0)
    for typed, short, text in rows:
        head = f"  {typed:<{first}}  " + (f"{short:<{second}}  " if second else "")
        if len(head) > start and text:
            yield head.rstrip()
            head = ""
        wrapped = textwrap.wrap(text, max(_WIDTH - start, 30), break_on_hyphens=False) or [""]
        yield (f"{head:<{start}}" + wrapped[0]).rstrip()
        yield from (" " * start + line for line in wrapped[1:])


def _page_html(page: HelpPage) -> str:
    """A page as one self-contained fragment of HTML."""
    parts = [f'<div class="memagic-report">\n<style>\n{STYLE}{_RULES.lstrip()}</style>\n']
    parts.append(f'<p class="memagic-title">{escape(page.title)}</p>\n')
    parts += (_table(table) for table in page.tables)
    parts += (f'<p class="memagic-note">{escape(note)}</p>\n' for note in page.notes)
    if page.examples:
        heading = "Examples" if len(page.examples) > 1 else "Example"
        parts.append(f'<p class="memagic-help-part" role="heading" aria-level="3">{heading}</p>\n')
    for about, code in page.examples:
        if about:
            parts.append(f'<p class="memagic-note">{escape(about)}:</p>\n')
        parts.append(f'<pre class="memagic-example"><code>{escape(code)}</code></pre>\n')
    parts.append("</div>")
    return "".join(parts)


def _table(table: HelpTable) -> str:
    short = any(row[1] for row in table.rows)
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(typed)}</code></th>'
        + (f'<td class="memagic-short"><code>{escape(least)}</code></td>' if short else "")
        + f"<td>{escape(text)}</td></tr>\n"
        for typed, least, text in table.rows
    )
    title = escape(table.title)
    return (
        f'<p class="memagic-help-part" role="heading" aria-level="3">{title}</p>\n'
        f'<div class="memagic-scroll">\n<table class="memagic-table memagic-help">\n'
        f"<caption>{title}</caption>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )
