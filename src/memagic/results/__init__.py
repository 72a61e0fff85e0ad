"""What an estimation leaves behind: numbers, their report, stored results, and the object on top."""

from memagic.results.results import MEResults

__all__ = ["MEResults"]
