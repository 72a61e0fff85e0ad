"""The data of a notebook's commands: those in use, and the DataFrames of the notebook by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from memagic.errors import CommandError
from memagic.magics.arguments import Arguments, Word, read_line
from memagic.magics.frames import find_frame, find_object, frames_in, size_of
from memagic.spec.use import parse_use

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from memagic.data.sources import Data
    from memagic.session import Session

__all__ = ["DataInUse"]

_NOTHING_IN_USE = "(no data in use: type %use bangladesh for an example, or %use with a DataFrame's name)"


class DataInUse:
    """What `%use` and the flag -d name.

    Parameters
    ----------
    session : Session
    shell : InteractiveShell
        Whose variables are those of the notebook.
    """

    def __init__(self, session: Session, shell: InteractiveShell) -> None:
        self.session = session
        self._shell = shell
        # The variable that the data in use are, if they are one.
        self._followed: str | None = None
        # The data of which it has been said that they are no variable; they need not live on for it.
        self._told: ReferenceType[pd.DataFrame] | None = None

    def use(self, line: str) -> None:
        """Put data in use, or tell what is; with flag -o, let a variable be these data."""
        self.take(read_line("use", line))

    def take(self, arguments: Arguments) -> None:
        """As `use`, of a command whose flags have been read.

        Raises
        ------
        CommandError
            What is named is no data, r(601) or r(109); flag -d, r(198).
        """
        if arguments.data is not None:
            arguments.refuse_data(f"type %use {arguments.data.text}")
        name = parse_use(arguments.text).source
        said = self._put(name) if name else self._tell()
        if arguments.out is not None:
            self._bind(arguments.out)
            said += f"\n(the data in use are the DataFrame {arguments.out} of the notebook)"
        if not arguments.quiet:
            print(said)

    def _tell(self) -> str:
        in_use = self.session.in_use
        about = f" ({in_use.title})" if in_use is not None and in_use.title else ""
        return _NOTHING_IN_USE if in_use is None else f"{in_use.name}: {in_use.size}{about}"

    def _put(self, name: str) -> str:
        """Put data in use by their name or path; return what there is to say about them."""
        frame = find_frame(name, self.namespace)
        if frame is None:
            try:
                said = str(self.session.run(f"use {name}"))
            except CommandError as error:
                raise self.explained(error, name) from None
            self._followed = None
            return said
        self.session.use(frame, name)
        self._followed = name
        from memagic import datasets

        words = f"({name})"
        if name in datasets.names():
            words = f"(DataFrame {name} of the notebook, not the example of that name)"
        assert self.session.in_use is not None
        return f"{words}  {self.session.in_use.size}"

    def _bind(self, name: str) -> None:
        """Let a variable be the data in use, which then are what the variable is.

        Raises
        ------
        CommandError
            Nothing is in use, r(3), or data that are elsewhere, r(198).
        """
        if self.session.source is None:
            raise CommandError(3, "no data in use", hint="type %use and a name")
        frame, time = self.session.data, self.session.time
        if frame is None:
            hint = "data in partitions stay where they are: df.compute() brings them here"
            raise CommandError(198, "flag -o not allowed", hint=hint)
        self.namespace[name] = frame
        self.session.use(frame, name)
        # The data are the same as before.
        self.session.time = time
        self._followed = name

    def of(self, arguments: Arguments) -> Data | None:
        """The data of one command; None for those in use.

        Raises
        ------
        CommandError
            No data are named or in use, and the notebook has no DataFrame or several, r(3).
        """
        if arguments.data is not None:
            return self._named(arguments.data)
        self.follow()
        if self.session.in_use is not None:
            return None
        frames = frames_in(self.namespace)
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

    def for_new_variables(self, arguments: Arguments) -> Data | None:
        """The data of a command that adds variables to them; None for those in use.

        Raises
        ------
        CommandError
            Data that are read anew, and tables of other libraries: the variables would be lost, r(198).
        """
        import pandas as pd

        data, word = self.of(arguments), arguments.data
        named = word is None or find_frame(word.text, self.namespace) is data
        if data is None or (isinstance(data, pd.DataFrame) and named):
            return data
        name = next(iter(frames_in(self.namespace))) if word is None else word.text
        if find_frame(name, self.namespace) is None:
            hint = f"type %use {name} first: what -d reads anew is forgotten after the command"
        else:
            hint = f"type %use {name} first, and %use -o df after predict: df has the new variables"
        message = f"{name} has no place for new variables"
        if word is None:
            raise CommandError(198, message, hint=hint, text=arguments.text)
        raise word.error(198, f"-d {message}", hint)

    def whereabouts(self, names: tuple[str, ...]) -> str | None:
        """Where new variables of the data in use are, unless a variable of the notebook is these data.

        It is said once of the same data.
        """
        data = self.session.data
        followed = None if self._followed is None else find_object(self._followed, self.namespace)
        if data is None or followed is data or any(data is value for value in self.namespace.values()):
            return None
        if self._told is not None and self._told() is data:
            return None
        self._told = ref(data)
        subject = f"{names[0]} is" if len(names) == 1 else "they are"
        return f"({subject} in the data in use; %use -o df makes these a DataFrame df of the notebook)"

    def table(self, name: str | None = None) -> Any:
        """The DataFrame that a name stands for, or that the next command has; None where there is none."""
        name = name or self._followed
        if name is not None and (frame := find_frame(name, self.namespace)) is not None:
            return frame
        if name is None and self.session.in_use is None:
            frames = list(frames_in(self.namespace).values())
            return frames[0] if len(frames) == 1 else None
        in_use = self.session.in_use
        return self.session.data if in_use is not None and name in (None, in_use.name) else None

    def _named(self, word: Word) -> Data:
        frame: Data | None = find_frame(word.text, self.namespace)
        if frame is not None:
            return frame
        from memagic.data.sources import find_data

        try:
            return find_data(word.text)
        except CommandError as error:
            again = word.error(error.rc, error.message, error.hint)
            raise self.explained(again, word.text) from None

    def follow(self) -> None:
        """Take the frame that the name in use stands for now: notebooks bind names again and again."""
        if self._followed is None:
            return
        frame = find_frame(self._followed, self.namespace)
        if frame is not None and frame is not self.session.source:
            self.session.use(frame, self._followed)
            assert self.session.in_use is not None
            print(f"({self._followed} is another DataFrame now)  {self.session.in_use.size}")

    def explained(self, error: CommandError, name: str) -> CommandError:
        """Say what a name that is not found as a file or a variable is in the notebook."""
        known = find_object(name, self.namespace) if name else None
        if known is None:
            return error
        if error.rc == 601:
            kind = type(known).__name__
            error.rc, error.message, error.hint = 109, f"{name} is not a DataFrame", f"it is a {kind}"
        elif error.rc == 111 and find_frame(name, self.namespace) is not None:
            error.hint = f"{name} is a DataFrame: type %use {name} first, or -d {name} before the command"
        return error

    @property
    def namespace(self) -> dict[str, Any]:
        """The notebook's variables."""
        namespace: dict[str, Any] = self._shell.user_ns
        return namespace
