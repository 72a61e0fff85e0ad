"""Axes, colours and words that the figures share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["accent", "axes_or_new", "figure_names", "line_colors", "muted", "name_figure", "plain"]

# Okabe and Ito's palette: pairs that colour-blind readers tell apart, for light and dark figures.
_ON_LIGHT = ("#0072B2", "#D55E00")
_ON_DARK = ("#56B4E9", "#E69F00")
# What more lines have, on either.
_MORE = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C")
_MORE_ON_DARK = ("#2FC99B", "#E5A3C8", "#F0E442", "#4E9BD4", "#B5B5B5")


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """The given Axes, or those of a new figure of this size in inches.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        raise ModuleNotFoundError("figures need matplotlib: pip install memagic[plots]") from None
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def figure_names() -> list[str]:
    """The names of the figures that pyplot holds."""
    from matplotlib import pyplot

    return list(pyplot.get_figlabels())


def name_figure(ax: Axes, name: str) -> None:
    """Name the figure of some Axes for pyplot; another of that name is closed."""
    from matplotlib import pyplot

    if name in figure_names():
        pyplot.close(name)
    # Of a figure, and of a part of one, `figure` is the whole.
    ax.figure.figure.set_label(name)


def accent(number: int = 0) -> str:
    """One of two colours, which go with the style's colour of text."""
    return (_ON_DARK if _is_dark() else _ON_LIGHT)[number]


def line_colors(count: int) -> list[str]:
    """A colour for each of several lines; after seven they begin again."""
    dark = _is_dark()
    palette = (*_ON_DARK, *_MORE_ON_DARK) if dark else (*_ON_LIGHT, *_MORE)
    return [palette[k % len(palette)] for k in range(count)]


def muted() -> tuple[float, float, float, float]:
    """The style's colour of text, half transparent: for lines that are only there to guide."""
    from matplotlib import rcParams
    from matplotlib.colors import to_rgba

    red, green, blue, _ = to_rgba(rcParams["text.color"])
    return red, green, blue, 0.5


def plain(ax: Axes) -> None:
    """Axes without the frame's upper and right lines."""
    ax.spines[["top", "right"]].set_visible(False)


def _is_dark() -> bool:
    """Whether the style's text is light, which is how it is drawn on dark figures."""
    from matplotlib import rcParams
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(rcParams["text.color"])
    return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
