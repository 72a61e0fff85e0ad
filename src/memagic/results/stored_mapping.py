"""A read-only mapping for `e()`, which makes arrays and frames when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["Stored"]


class Stored(Mapping[str, Any]):
    """A read-only mapping. Arrays and frames are made when they are asked for, and given as copies.

    Parameters
    ----------
    values : mapping
        Numbers and strings by name.
    makers : mapping
        Functions that make the others, by name.
    """

    def __init__(
        self, values: Mapping[str, float | str], makers: Mapping[str, Callable[[], Any]] | None = None
    ) -> None:
        self._made: dict[str, Any] = dict(values)
        self._makers = dict(makers or {})
        self._names = (*self._made, *self._makers)

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        value = self._made[name]
        return value if isinstance(value, int | float | str) else value.copy()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def scalars(self) -> dict[str, float]:
        """The scalars by name; no array is made for it."""
        return {name: value for name, value in self._made.items() if isinstance(value, int | float)}

    def __repr__(self) -> str:
        lines = []
        for name, value in self.items():
            shown = repr(value)
            plain = isinstance(value, (int, float, str)) and len(shown) < 60
            lines.append(f"{name:>18} : {shown if plain else _describe(value)}")
        return "\n".join(lines)


def _describe(value: object) -> str:
    shape = getattr(value, "shape", None)
    if shape is None:
        return repr(value)[:60]
    return f"{type(value).__name__} {' x '.join(str(n) for n in shape)}"
