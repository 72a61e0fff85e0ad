"""What to type to see a result as display options show it."""

from __future__ import annotations

from memagic.results.display_options import DisplayOptions
from memagic.results.side_by_side import TableOptions

__all__ = ["python_call", "replay_command", "table_command"]

_LEVEL = DisplayOptions().level


def replay_command(name: str, options: DisplayOptions) -> str:
    """The replay of a command: ``melogit, or level(90)``.

    Parameters
    ----------
    name : str
        The command that fitted the model.
    options : DisplayOptions
    """
    words = [
        f"level({_number(value)})" if isinstance(value, float) else option
        for option, value in _given(options)
    ]
    return f"{name}, {' '.join(words)}" if words else name


def python_call(options: DisplayOptions) -> str:
    """The same as a method call on the result: ``.replay(or_=True, level=90)``."""
    words = []
    for option, value in _given(options):
        shown = _number(value) if isinstance(value, float) else "True"
        words.append(f"{'or_' if option == 'or' else option}={shown}")
    return f".replay({', '.join(words)})"


def table_command(names: tuple[str, ...], options: TableOptions) -> str:
    """The command that shows results side by side: ``estimates table . r_int, se stats(ll N)``."""
    words = ["se"] if options.se else []
    words += ["star"] if options.stars else []
    words += [f"stats({' '.join(options.statistics)})"] if options.statistics else []
    words += ["eform"] if options.exponentiated else []
    command = f"estimates table {' '.join(names)}"
    return f"{command}, {' '.join(words)}" if words else command


def _given(options: DisplayOptions) -> list[tuple[str, float | bool]]:
    """The options that differ from what is shown without any, by the names that commands have for them."""
    flags = {
        "baselevels": options.bases,
        "noheader": not options.header,
        "nogroup": not options.group,
        "notable": not options.table,
        "nocnsreport": not options.constraints,
        "nofvlabel": not options.labels,
        "noci": not options.intervals,
        "nopvalues": not options.p_values,
        "coeflegend": options.legend,
    }
    given: list[tuple[str, float | bool]] = []
    if options.exponentiated:
        given.append((options.exponentiated, True))
    if options.level != _LEVEL:
        given.append(("level", float(options.level)))
    return [*given, *((name, True) for name, chosen in flags.items() if chosen)]


def _number(value: float) -> str:
    """In as few digits as it takes."""
    return f"{value:.12g}"
