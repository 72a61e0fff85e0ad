"""What stands in the place of an array that has been left out of saved estimates."""

from __future__ import annotations

from math import prod
from typing import Any, NoReturn

from memagic.errors import CommandError

__all__ = ["Removed"]

_SAVED_WITHOUT = (
    "these estimates were saved without their data, by remove_data; fit the model again, or save it with them"
)


class Removed:
    """The shape of an array that is not there; whatever asks for more is refused in words.

    Parameters
    ----------
    shape : tuple of int
    hint : str
        Why it is not there, and what to do about that.
    """

    __slots__ = ("hint", "shape")

    def __init__(self, shape: tuple[int, ...], hint: str = _SAVED_WITHOUT) -> None:
        self.shape = shape
        self.hint = hint

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<removed: {' x '.join(map(str, self.shape))}>"

    def __getattr__(self, name: str) -> Any:
        # Protocols look for attributes that need not be there.
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        """Raise what users read.

        Raises
        ------
        CommandError
            r(322), always.
        """
        raise CommandError(322, "the estimation sample is not there", hint=self.hint)

    __array__ = __array_ufunc__ = __array_function__ = _refuse
    __iter__ = __getitem__ = __bool__ = __float__ = __neg__ = __invert__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __matmul__ = __rmatmul__ = __pow__ = __rpow__ = __and__ = __or__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse
