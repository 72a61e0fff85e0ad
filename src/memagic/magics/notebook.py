"""One notebook: the shell's variables on one side, a session on the other."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from IPython.core.magic import no_var_expand

from memagic.errors import Break, CommandError
from memagic.magics.arguments import Arguments, Word, read_cell, read_line
from memagic.magics.frames import find_frame, find_object, frames_in, size_of
from memagic.magics.help import help_page, help_text
from memagic.magics.live_log import live_log
from memagic.magics.script import commands_of
from memagic.magics.topics_of_tests import TEST_TOPICS
from memagic.session import Session
from memagic.spec.options import COMMANDS
from memagic.spec.parser import command_name, is_replay
from memagic.spec.prefixes import read_prefixes
from memagic.spec.tsset import parse_tsset

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from memagic.data.sources import Data
    from memagic.session import Shown

__all__ = ["Notebook"]

Kind = Literal["line", "cell", "line_cell"]


class Notebook:
    """The magics of one shell, with the session they share.

    Parameters
    ----------
    shell : InteractiveShell
        Where variables are looked up, results are kept and the log is shown.

    Attributes
    ----------
    session : Session
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.session = Session()
        # Matrices that the session does not have are variables of the notebook.
        self.session.matrices = ChainMap({}, shell.user_ns)
        # So are results that were never stored.
        self.session.variables = shell.user_ns
        self._shell = shell
        self._followed: str | None = None

    def magics(self) -> Iterator[tuple[Kind, str, Callable[..., Any]]]:
        """Kind, name and function of every magic."""
        yield "line", "help", _magic(help_page, help_text("help"))
        yield "line", "use", _magic(self.use, help_text("use"))
        yield "line", "quadchk", _magic(partial(self.postestimate, "quadchk"), help_text("quadchk"))
        yield "line", "estat", _magic(partial(self.postestimate, "estat"), help_text("estat"))
        yield "line", "predict", _magic(self.predict, help_text("predict"))
        for name in COMMANDS:
            text = help_text(name)
            yield "line_cell", name, _magic(partial(self.command, name), text)
            # IPython takes a magic's name up to the first blank: in `%melogit, or` it ends in a comma.
            yield "line", f"{name},", _magic(partial(self.replay, name), text)
        for name in TEST_TOPICS:
            yield "line", name, _magic(partial(self.postestimate, name), help_text(name))
            # As above: `%margins, dydx(*)`.
            yield "line", f"{name},", _magic(partial(self.postestimate_with, name), help_text(name))
        for name in ("set", "svyset", "constraint", "matrix", "estimates", "est"):
            yield "line", name, _magic(partial(self.define, name), help_text(name))
        for name in ("tsset", "xtset"):
            yield "line", name, _magic(partial(self.set_time, name), help_text(name))
            yield "line", f"{name},", _magic(partial(self.set_time, f"{name},"), help_text(name))
        # The prefix ends in a colon, or in a comma where options follow.
        for name in ("svy", "svy:", "svy,"):
            yield "line", name, _magic(partial(self.survey, name.removeprefix("svy")), help_text("svy"))
        for name in ("quietly", "qui", "noisily", "capture", "cap", "by", "bysort", "bys"):
            yield "line", name, _magic(partial(self.prefixed, name), help_text(name))
        yield "cell", "me", _magic(self.script, help_text("me"))

    def use(self, line: str) -> None:
        """Put data in use, or tell what is."""
        name = line.strip()
        if not name:
            in_use = self.session.in_use
            about = f" ({in_use.title})" if in_use is not None and in_use.title else ""
            print(_NOTHING_IN_USE if in_use is None else f"{in_use.name}: {in_use.size}{about}")
            return
        frame = find_frame(name, self._namespace)
        if frame is None:
            try:
                print(self.session.run(f"use {name}"))
            except CommandError as error:
                raise self._explained(error, name) from None
            self._followed = None
            return
        self.session.use(frame, name)
        self._followed = name
        from memagic import datasets

        other = ", not the example of that name" if name in datasets.names() else ""
        assert self.session.in_use is not None
        print(f"(DataFrame {name} of the notebook{other})" if other else f"({name})", end="  ")
        print(self.session.in_use.size)

    def define(self, name: str, line: str) -> Shown:
        """Run a command on what the session keeps: constraints, matrices, stored estimates."""
        try:
            return self.session.run(f"{name} {line}")
        except CommandError as error:
            raise self._explained(error, _place(error)) from None

    def set_time(self, name: str, line: str) -> Shown:
        """Tell what time-series operators refer to, in the data that the next command has."""
        text = f"{name} {line}"
        data = None if parse_tsset(text).clear else self._data(Arguments(text=text))
        return self.session.run(text, data=data)

    def survey(self, mark: str, line: str) -> Shown:
        """Run an estimation command under the survey design; `mark` ends the prefix's name."""
        arguments = read_line("svy", line)
        command = arguments.text.removeprefix("svy").strip()
        arguments = replace(arguments, text=f"svy{mark} {command}")
        return self._run(arguments, self._data(arguments))

    def prefixed(self, name: str, line: str) -> Shown:
        """Run a command that begins with a prefix."""
        return self.any_command(read_line(name, line))

    def script(self, line: str, cell: str) -> None:
        """Run the commands of a cell one after the other; each shows what it has to show."""
        arguments = read_cell("me", line, "")
        if arguments.data is not None:
            self.use(arguments.data.text)
        for text in commands_of(cell):
            shown = self.any_command(Arguments(out=arguments.out, quiet=arguments.quiet, text=text))
            if shown is not None:
                self._shell.display_pub.publish(data=_bundle(shown))

    def any_command(self, arguments: Arguments) -> Shown:
        """Run a command of any kind, perhaps with prefixes."""
        prefixed = read_prefixes(arguments.text)
        name, quiet = command_name(prefixed.text) or "", arguments.quiet or prefixed.quiet
        if name == "use" and prefixed.plain:
            self.use(arguments.text.strip().removeprefix("use"))
            return None
        if name == "margins":
            self._follow()
        fits = name in (*COMMANDS, "svy") and not is_replay(prefixed.text)
        data = self._data(arguments) if fits or name in ("tsset", "xtset", "predict") else None
        try:
            return self._run(replace(arguments, quiet=quiet), data)
        finally:
            if prefixed.capture:
                self._namespace["_rc"] = self.session.rc

    def replay(self, name: str, line: str) -> Shown:
        """Show the last estimates again: `line` has the options."""
        return self.command(name, f", {line}")

    def command(self, name: str, line: str, cell: str | None = None) -> Shown:
        """Run an estimation command or replay it; return what the cell shows."""
        arguments = read_line(name, line) if cell is None else read_cell(name, line, cell)
        return self._run(arguments, None if is_replay(arguments.text) else self._data(arguments))

    def postestimate(self, name: str, line: str) -> Shown:
        """Run a command on the last estimates; those in use are all the data that it may need."""
        if name == "margins":
            self._follow()
        return self._run(read_line(name, line), None)

    def predict(self, line: str) -> None:
        """Add predictions to the data in use, or to a DataFrame of the notebook."""
        arguments = read_line("predict", line)
        data = self._data(arguments)
        word = arguments.data
        if word is not None and find_frame(word.text, self._namespace) is None:
            hint = f"type %use {word.text} first: what -d reads anew is forgotten after the command"
            raise word.error(198, f"-d {word.text} has no place for new variables", hint)
        shown = str(self._run(arguments, data) or "")
        if shown:
            print(shown)

    def postestimate_with(self, name: str, line: str) -> Shown:
        """Run such a command of which only options were typed: `line` has them."""
        return self.postestimate(name, f", {line}")

    def _run(self, arguments: Arguments, data: Data | None) -> Shown:
        run = partial(self.session.run, data=data, name=_name_of(arguments))
        try:
            if arguments.quiet:
                result = run(arguments.text)
            else:
                with live_log(self._shell) as log:
                    result = run(arguments.text, stream=log, progress=log.progress)
        except Break as stop:
            raise self._kept(stop, arguments.quiet) from None
        except CommandError as error:
            raise self._explained(error, _place(error)) from None
        if arguments.out is not None:
            self._namespace[arguments.out] = result
        return None if arguments.quiet else result

    def _kept(self, stop: Break, quiet: bool) -> Break:
        """Show and keep what an interrupted fit has reached; its name is one of the shell's own kind."""
        from memagic.results import MEResults

        if isinstance(stop.so_far, MEResults):
            self._namespace[_STOPPED] = stop.so_far
            if not quiet:
                self._shell.display_pub.publish(data=stop.so_far._repr_mimebundle_())
            stop.hint = f"the fit so far is in {_STOPPED}: option from({_STOPPED}) goes on from there"
        return stop

    def _data(self, arguments: Arguments) -> Data | None:
        """The data of one command; None for those in use.

        Raises
        ------
        CommandError
            No data are named or in use, and the notebook has no DataFrame or several, r(3).
        """
        if arguments.data is not None:
            return self._named(arguments.data)
        self._follow()
        if self.session.in_use is not None:
            return None
        frames = frames_in(self._namespace)
        if len(frames) == 1:
            ((name, frame),) = frames.items()
            only: Data = frame
            print(f"(the notebook's only DataFrame is used: {name}, {size_of(frame)})")
            return only
        hint = f"the notebook's DataFrames are {', '.join(frames)}; type " if frames else "type "
        first = next(iter(frames), "bangladesh")
        hint += (
            f"%use {first} first" if frames else "%use bangladesh for an example, or %use with a DataFrame"
        )
        raise CommandError(3, "no data in use", hint=hint, text=arguments.text)

    def table(self, name: str | None = None) -> Any:
        """The DataFrame that a name stands for, or that the next command has; None where there is none."""
        name = name or self._followed
        if name is not None and (frame := find_frame(name, self._namespace)) is not None:
            return frame
        if name is None and self.session.in_use is None:
            frames = list(frames_in(self._namespace).values())
            return frames[0] if len(frames) == 1 else None
        in_use = self.session.in_use
        return self.session.data if in_use is not None and name in (None, in_use.name) else None

    def _named(self, word: Word) -> Data:
        frame: Data | None = find_frame(word.text, self._namespace)
        if frame is not None:
            return frame
        from memagic.data.sources import find_data

        try:
            return find_data(word.text)
        except CommandError as error:
            again = word.error(error.rc, error.message, error.hint)
            raise self._explained(again, word.text) from None

    def _follow(self) -> None:
        """Take the frame that the name in use stands for now: notebooks bind names again and again."""
        if self._followed is None:
            return
        frame = find_frame(self._followed, self._namespace)
        if frame is not None and frame is not self.session.source:
            self.session.use(frame, self._followed)
            assert self.session.in_use is not None
            print(f"({self._followed} is another DataFrame now)  {self.session.in_use.size}")

    def _explained(self, error: CommandError, name: str) -> CommandError:
        """Say what a name that is not found as a file or a variable is in the notebook."""
        known = find_object(name, self._namespace) if name else None
        if known is None:
            return error
        if error.rc == 601:
            kind = type(known).__name__
            error.rc, error.message, error.hint = 109, f"{name} is not a DataFrame", f"it is a {kind}"
        elif error.rc == 111 and find_frame(name, self._namespace) is not None:
            error.hint = f"{name} is a DataFrame: type %use {name} first, or -d {name} before the command"
        return error

    @property
    def _namespace(self) -> dict[str, Any]:
        namespace: dict[str, Any] = self._shell.user_ns
        return namespace


_STOPPED = "_stopped"

_NOTHING_IN_USE = "(no data in use: type %use bangladesh for an example, or %use with a DataFrame's name)"


def _name_of(arguments: Arguments) -> str | None:
    """What the data of one command are called."""
    return None if arguments.data is None else arguments.data.text


def _bundle(shown: Any) -> dict[str, Any]:
    """What a front end shows of a value."""
    if hasattr(shown, "_repr_mimebundle_"):
        bundle: dict[str, Any] = shown._repr_mimebundle_()
        return bundle
    return {"text/plain": str(shown)}


def _place(error: CommandError) -> str:
    """The word that an error points at."""
    if error.text is None or error.span is None:
        return ""
    return error.text[slice(*error.span)]


def _magic(function: Callable[..., Any], text: str) -> Callable[..., Any]:
    """A function of its own, which the shell can mark and whose docstring is the help."""

    def magic(line: str, cell: str | None = None) -> Any:
        return function(line) if cell is None else function(line, cell)

    magic.__doc__ = text
    return no_var_expand(magic)
