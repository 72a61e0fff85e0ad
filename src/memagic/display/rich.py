"""What shows itself: rich in a notebook, plain text elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

__all__ = ["Rich"]


class Rich(ABC):
    """Something that has a text and an HTML fragment. Dataclasses that derive from it have `repr=False`."""

    __slots__ = ()

    @abstractmethod
    def to_text(self) -> str:
        """Plain text."""

    @abstractmethod
    def to_html(self) -> str:
        """One HTML fragment."""

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": self.to_text(), "text/html": self.to_html()}
