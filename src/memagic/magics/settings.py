"""Settings of a notebook that ``%config MeMagic`` lists and sets."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Int
from traitlets.config import Configurable

from memagic.errors import CommandError

if TYPE_CHECKING:
    from memagic.session import Session

__all__ = ["MeMagic", "traced"]


class _OfSession:
    """A setting that is kept in the session, by the trait's name: commands change it, too."""

    def get(self, obj: Any, cls: Any = None) -> Any:
        return getattr(obj.session, self.name or "")  # type: ignore[attr-defined]

    def set(self, obj: Any, value: Any) -> None:
        setattr(obj.session, self.name or "", self._validate(obj, value))  # type: ignore[attr-defined]


class BoolOfSession(_OfSession, Bool):  # type: ignore[type-arg]
    """A truth value of the session."""


class IntOfSession(_OfSession, Int):  # type: ignore[type-arg]
    """A whole number of the session."""


class MeMagic(Configurable):
    """Settings of memagic.

    Parameters
    ----------
    session : Session
        Whose settings they are.
    """

    varabbrev = BoolOfSession(
        True, help="Whether the first letters of a variable's name are enough, as after: set varabbrev on"
    ).tag(config=True)
    threads = IntOfSession(
        0,
        min=0,
        help="How many blocks of the data a fit works on at once, 0 for as many as suit; estimates do not "
        "depend on it.",
    ).tag(config=True)
    tracebacks = Bool(
        False, help="Whether errors of commands show where in the package they were raised."
    ).tag(config=True)

    def __init__(self, session: Session, **kwargs: Any) -> None:
        self.session = session
        super().__init__(**kwargs)


def traced(function: Callable[..., Any], settings: MeMagic) -> Callable[..., Any]:
    """The same magic, whose errors show where they were raised where the settings ask for it."""

    @wraps(function)
    def magic(*arguments: str) -> Any:
        try:
            return function(*arguments)
        except CommandError as error:
            error.traced = settings.tracebacks
            raise

    return magic
