"""How results of postestimation commands show themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from memagic.display.grid_table import GridTable, grid_html, grid_text

__all__ = ["Shown"]


class Shown(ABC):
    """A result that is shown as a table: rich in a notebook, plain text elsewhere."""

    __slots__ = ()

    @abstractmethod
    def grid(self) -> GridTable:
        """The table."""

    def to_text(self) -> str:
        """Plain text."""
        return grid_text(self.grid())

    def to_html(self) -> str:
        """One HTML fragment."""
        return grid_html(self.grid())

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.to_text(), "text/html": self.to_html()}
