"""What a command shows where the cell goes on after it, in a loop or in a function.

IPython shows the value of a cell's last line alone. In a notebook of commands each one shows its table.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from functools import wraps
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from IPython.display import display

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["showing"]

# What calls a magic, and what repeats a line to measure its time.
_CALLERS = ("run_line_magic", "run_cell_magic")
_TIMED = "<magic-timeit>"


def showing(function: Callable[..., Any], shell: InteractiveShell) -> Callable[..., Any]:
    """The same magic, which shows its value where the notebook's code does not take it.

    A cell is compiled when the extension may not be loaded yet, so that it is when the magic runs that
    is asked what becomes of its value: IPython's own display, an assignment and every other use take it.
    """

    @wraps(function)
    def magic(*arguments: str) -> Any:
        value = function(*arguments)
        if value is not None and not _by_figure(value) and _is_dropped(sys._getframe(1), shell.user_ns):
            display(value)  # type: ignore[no-untyped-call]
        return value

    return magic


def _is_dropped(frame: FrameType | None, namespace: dict[str, Any]) -> bool:
    """Whether code of the notebook drops the value of the magic that `frame` has called."""
    while frame is not None and frame.f_code.co_name not in _CALLERS:
        frame = frame.f_back
    caller = None if frame is None else frame.f_back
    if caller is None or caller.f_globals is not namespace or caller.f_code.co_filename == _TIMED:
        return False
    return _next_instruction(caller.f_code, caller.f_lasti) == "POP_TOP"


def _next_instruction(code: CodeType, last: int) -> str:
    """The name of the instruction after the one at `last`."""
    return next((one.opname for one in dis.get_instructions(code) if one.offset > last), "")


def _by_figure(value: Any) -> bool:
    """Whether the value is what `marginsplot` gives: the figure is shown, when the cell ends."""
    first = value[0] if isinstance(value, tuple) and value else value
    return type(first).__module__.startswith("matplotlib")
