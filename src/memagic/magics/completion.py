"""Completion of what is typed in the magics: columns, levels, options and their values, stored names."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from memagic import datasets
from memagic.data.offered import values_of, variables_of
from memagic.magics.arguments import FLAGS
from memagic.magics.frames import frames_in
from memagic.magics.help import help_names
from memagic.magics.typed import Typed, typed_at
from memagic.spec.context import expected
from memagic.spec.context_commands import SHAPES
from memagic.spec.options import COMMANDS

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from memagic.magics.notebook import Notebook
    from memagic.spec.expected import Expected, Source

__all__ = ["Completion", "install", "remove"]

_IDENTIFIER = "memagic"
_KINDS = {"variable": "column", "data": "data", "result": "estimates", "topic": "command"}
_PREFIXES = ("quietly", "qui", "noisily", "capture", "cap", "by", "bysort", "bys", "svy")
_LINE_NAMES = frozenset((*COMMANDS, *SHAPES, *_PREFIXES, "est", "mat"))

Pair = tuple[str, str]
"""A text and what kind of thing it is."""


def install(shell: InteractiveShell, notebook: Notebook) -> None:
    """Let the shell's completer ask for what may be typed in the magics."""
    remove(shell)
    completion = Completion(shell, notebook)

    @context_matcher(identifier=_IDENTIFIER, priority=1000)  # type: ignore[untyped-decorator]
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        lines = context.full_text.split("\n")[: context.cursor_line]
        offset = sum(len(line) + 1 for line in lines) + context.cursor_position
        fragment, found = completion.at(context.full_text, offset)
        return {
            "completions": [SimpleCompletion(text, type=kind) for text, kind in found],
            "matched_fragment": fragment,
            "suppress": bool(found),
            "ordered": True,
        }

    _matchers(shell).append(matcher)


def remove(shell: InteractiveShell) -> None:
    """Take it away again."""
    matchers = _matchers(shell)
    matchers[:] = [one for one in matchers if getattr(one, "matcher_identifier", "") != _IDENTIFIER]


def _matchers(shell: InteractiveShell) -> list[Any]:
    matchers: list[Any] = shell.Completer.custom_matchers
    return matchers


class Completion:
    """What may be typed at a place of a cell.

    Parameters
    ----------
    shell : InteractiveShell
        Whose variables are DataFrames, results and matrices.
    notebook : Notebook
        Whose session has the data in use.
    """

    def __init__(self, shell: InteractiveShell, notebook: Notebook) -> None:
        self._shell = shell
        self._notebook = notebook

    def at(self, code: str, cursor: int) -> tuple[str, list[Pair]]:
        """What may be typed at a place.

        Parameters
        ----------
        code : str
            A cell.
        cursor : int
            How many characters of it stand before the place.

        Returns
        -------
        fragment : str
            The text before the place that they go on from.
        found : list of (str, str)
            Texts that may take the place of the fragment, and their kinds.
        """
        typed = typed_at(code, cursor, _LINE_NAMES, self._automagic())
        if typed is None:
            return "", []
        if typed.flag is not None:
            offered = self._data_names() if typed.names_data else iter(_FLAGS)
            return typed.flag, _begun(typed.flag, offered)
        wanted = expected(typed.text, typed.cursor)
        if wanted is None:
            return "", []
        found = _begun(wanted.fragment, self._offered(wanted, typed))
        # Where nothing fits, the word itself: the shell would offer Python's names.
        return wanted.fragment, found or [(wanted.fragment, "word")]

    def _automagic(self) -> frozenset[str]:
        """The names that are magics without a percent sign: those that no variable has."""
        if not self._shell.automagic:
            return frozenset()
        taken = self._shell.user_ns
        return frozenset(name for name in _LINE_NAMES if name not in taken and not hasattr(builtins, name))

    def _offered(self, wanted: Expected, typed: Typed) -> Iterator[Pair]:
        if wanted.levels_of is not None:
            table = self._table(typed.data)
            if table is not None:
                for value in values_of(table, wanted.levels_of, quoted=wanted.quoted):
                    yield value, "level"
        for source in wanted.sources:
            for name in self._names(source, typed.data):
                yield name, _KINDS.get(source, "value")
        for word in wanted.words:
            yield word, wanted.kind

    def _names(self, source: Source, data: str | None) -> Iterable[str]:
        """Names that only the session or the notebook knows."""
        session = self._notebook.session
        match source:
            case "variable":
                return self._variables(data)
            case "data":
                return [name for name, _ in self._data_names()]
            case "result":
                return session.results
            case "matrix":
                return self._matrices()
            case "constraint":
                return map(str, sorted(session.constraints))
            case "topic":
                return help_names()

    def _variables(self, data: str | None) -> list[str]:
        table = self._table(data)
        if table is not None:
            return variables_of(table)
        # The description of an example tells its variables: no data are loaded.
        return list(datasets.variables(data)) if data in datasets.names() else []

    def _table(self, data: str | None) -> Any:
        return self._notebook.data.table(data)

    def _matrices(self) -> list[str]:
        """Defined matrices, and arrays and DataFrames of the notebook."""
        session = self._notebook.session
        namespace = self._shell.user_ns
        own = [name for name in session.matrices if name not in namespace]
        return own + [
            name
            for name, value in namespace.items()
            if not name.startswith("_") and hasattr(value, "ndim") and hasattr(value, "shape")
        ]

    def _data_names(self) -> Iterator[Pair]:
        """The notebook's DataFrames and the examples."""
        frames = frames_in(self._shell.user_ns)
        for name in frames:
            yield name, "DataFrame"
        for name in datasets.names():
            if name not in frames:
                yield name, "example"


_FLAGS = tuple((flag.split()[0], "flag") for flag, _ in FLAGS)


def _begun(fragment: str, offered: Iterable[Pair]) -> list[Pair]:
    """What begins with the fragment; where nothing does, what begins with it in other letters' cases."""
    every = list(dict.fromkeys(offered))
    begun = [pair for pair in every if pair[0].startswith(fragment)]
    folded = fragment.casefold()
    return begun or [pair for pair in every if pair[0].casefold().startswith(folded)]
