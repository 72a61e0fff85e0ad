"""One notebook: the shell's variables on one side, a session on the other."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from IPython.core.magic import no_var_expand

from memagic.errors import Break, CommandError
from memagic.magics.arguments import Arguments, read_cell, read_line, without_flags
from memagic.magics.help import help_page, help_text
from memagic.magics.in_use import DataInUse
from memagic.magics.live_log import live_log
from memagic.magics.script import commands_of
from memagic.magics.topics_of_tests import TEST_TOPICS
from memagic.session import Session
from memagic.spec.options import COMMANDS
from memagic.spec.parser import command_name, is_replay
from memagic.spec.prefixes import Prefixed, read_prefixes
from memagic.spec.slips import UNKNOWN_MODELS, model_hint
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
    data : DataInUse
        What the commands work on.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.session = Session()
        # Matrices that the session does not have are variables of the notebook.
        self.session.matrices = ChainMap({}, shell.user_ns)
        # So are results that were never stored.
        self.session.variables = shell.user_ns
        self._shell = shell
        self.data = DataInUse(self.session, shell)

    def magics(self) -> Iterator[tuple[Kind, str, Callable[..., Any]]]:
        """Kind, name and function of every magic."""
        yield "line", "help", _magic(help_page, help_text("help"))
        yield from _with_comma("use", self.data.use)
        yield from _with_comma("predict", self.predict)
        yield "line", "quadchk", _magic(partial(self.postestimate, "quadchk"), help_text("quadchk"))
        yield "line", "estat", _magic(partial(self.postestimate, "estat"), help_text("estat"))
        for name in COMMANDS:
            text = help_text(name)
            yield "line_cell", name, _magic(partial(self.command, name), text)
            yield "line", f"{name},", _magic(partial(self.replay, name), text)
        for name in TEST_TOPICS:
            yield from _with_comma(name, partial(self.postestimate, name))
        for name in ("set", "constraint", "matrix", "estimates", "est"):
            yield "line", name, _magic(partial(self.define, name), help_text(name))
        yield from _with_comma("svyset", partial(self.define, "svyset"))
        for name in ("tsset", "xtset"):
            yield from _with_comma(name, partial(self.set_time, name))
        # The prefix ends in a colon, or in a comma where options follow.
        for name in ("svy", "svy:", "svy,"):
            yield "line", name, _magic(partial(self.survey, name.removeprefix("svy")), help_text("svy"))
        for name in ("quietly", "qui", "noisily", "capture", "cap", "by", "bysort", "bys"):
            yield "line", name, _magic(partial(self.prefixed, name), help_text(name))
        for name in ("quietly:", "qui:", "noisily:", "capture:", "cap:"):
            yield "line", name, _magic(partial(self.prefixed, name), help_text(name[:-1]))
        # Their errors say what to type instead.
        for name in UNKNOWN_MODELS:
            yield (
                "line",
                name,
                _magic(partial(self.prefixed, name), f"There is no {name}: {model_hint(name)}"),
            )
        yield "cell", "me", _magic(self.script, help_text("me"))

    def define(self, name: str, line: str) -> Shown:
        """Run a command on what the session keeps: constraints, matrices, stored estimates."""
        try:
            return self.session.run(f"{name} {line}")
        except CommandError as error:
            raise self.data.explained(error, _place(error)) from None

    def set_time(self, name: str, line: str) -> Shown:
        """Tell what time-series operators refer to, in the data that the next command has."""
        text = f"{name} {line}"
        data = None if parse_tsset(text).clear else self.data.of(Arguments(text=text))
        return self.session.run(text, data=data)

    def survey(self, mark: str, line: str) -> Shown:
        """Run an estimation command under the survey design; `mark` ends the prefix's name."""
        arguments = read_line("svy", line)
        command = arguments.text.removeprefix("svy").strip()
        arguments = without_flags(replace(arguments, text=f"svy{mark} {command}"))
        return self._run(arguments, self.data.of(arguments))

    def prefixed(self, name: str, line: str) -> Shown:
        """Run a command that begins with a prefix."""
        return self.any_command(read_line(name, line))

    def script(self, line: str, cell: str) -> None:
        """Run the commands of a cell one after the other; each shows what it has to show."""
        arguments = read_cell("me", line, "")
        if arguments.data is not None:
            self.data.use(arguments.data.text)
        for text in commands_of(cell):
            shown = self.any_command(Arguments(out=arguments.out, quiet=arguments.quiet, text=text))
            if shown is not None:
                self._shell.display_pub.publish(data=_bundle(shown))

    def any_command(self, arguments: Arguments) -> Shown:
        """Run a command of any kind, perhaps with prefixes."""
        arguments = without_flags(arguments)
        prefixed = read_prefixes(arguments.text)
        arguments = replace(arguments, quiet=arguments.quiet or prefixed.quiet)
        if not prefixed.capture:
            return self._without_prefixes(arguments, prefixed)
        try:
            return self._without_prefixes(arguments, prefixed)
        except Break:
            raise
        except CommandError as error:
            # The session has not seen it: no data were found for the command.
            self.session.rc = error.rc
            from memagic.commands.define import Listing

            return None if arguments.quiet else Listing("\n".join(error.lines()))
        finally:
            self.data.namespace["_rc"] = self.session.rc

    def _without_prefixes(self, arguments: Arguments, prefixed: Prefixed) -> Shown:
        name = command_name(prefixed.text) or ""
        if name != "use" or prefixed.by is not None:
            return self._run(arguments, self._data_for(name, arguments, prefixed.text))
        own = read_line("use", prefixed.text.strip().removeprefix("use"))
        data, out = own.data or arguments.data, own.out or arguments.out
        self.data.take(replace(own, data=data, out=out, quiet=own.quiet or arguments.quiet))
        if prefixed.capture:
            self.session.rc = 0
        return None

    def _data_for(self, name: str, arguments: Arguments, text: str) -> Data | None:
        """The data of a command; None for those in use, and where it needs none.

        Raises
        ------
        CommandError
            There are none, r(3) or r(601); flag -d where it would do nothing, r(198).
        """
        if name == "predict":
            return self.data.for_new_variables(arguments)
        if name == "margins" and arguments.data is None:
            self.data.follow()
            return None
        if name in ("margins", "tsset", "xtset"):
            return self.data.of(arguments)
        if name in (*COMMANDS, "svy") and not is_replay(text):
            return self.data.of(arguments)
        arguments.refuse_data("the command needs no data: type it without -d")
        return None

    def replay(self, name: str, line: str) -> Shown:
        """Show the last estimates again: `line` has the options."""
        return self.command(name, f", {line}")

    def command(self, name: str, line: str, cell: str | None = None) -> Shown:
        """Run an estimation command or replay it; return what the cell shows."""
        arguments = read_line(name, line) if cell is None else read_cell(name, line, cell)
        return self._run(arguments, self._data_for(name, arguments, arguments.text))

    def postestimate(self, name: str, line: str) -> Shown:
        """Run a command on the last estimates; `margins` alone may need other data than those in use."""
        arguments = read_line(name, line)
        return self._run(arguments, self._data_for(name, arguments, arguments.text))

    def predict(self, line: str) -> None:
        """Add predictions to the data in use, or to a DataFrame of the notebook."""
        if shown := str(self.any_command(read_line("predict", line)) or ""):
            print(shown)

    def _run(self, arguments: Arguments, data: Data | None) -> Shown:
        from memagic.commands.predict import NewVariables

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
            raise self.data.explained(error, _place(error)) from None
        if (
            isinstance(result, NewVariables)
            and data is None
            and (where := self.data.whereabouts(result.names))
        ):
            result = replace(result, notes=(*result.notes, where))
        if arguments.out is not None:
            self.data.namespace[arguments.out] = result
        return None if arguments.quiet else result

    def _kept(self, stop: Break, quiet: bool) -> Break:
        """Show and keep what an interrupted fit has reached; its name is one of the shell's own kind."""
        from memagic.results import MEResults

        if isinstance(stop.so_far, MEResults):
            self.data.namespace[_STOPPED] = stop.so_far
            if not quiet:
                self._shell.display_pub.publish(data=stop.so_far._repr_mimebundle_())
            stop.hint = f"the fit so far is in {_STOPPED}: option from({_STOPPED}) goes on from there"
        return stop


_STOPPED = "_stopped"


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


def _with_comma(name: str, function: Callable[[str], Any]) -> Iterator[tuple[Kind, str, Callable[..., Any]]]:
    """A line magic, and the same where only options are typed.

    IPython takes a magic's name up to the first blank: in `%margins, dydx(x)` it ends in a comma.
    """
    text = help_text(name)
    yield "line", name, _magic(function, text)
    yield "line", f"{name},", _magic(lambda line: function(f", {line}"), text)


def _magic(function: Callable[..., Any], text: str) -> Callable[..., Any]:
    """A function of its own, which the shell can mark and whose docstring is the help."""

    def magic(line: str, cell: str | None = None) -> Any:
        return function(line) if cell is None else function(line, cell)

    magic.__doc__ = text
    return no_var_expand(magic)
