"""The commands as IPython magics, after ``%load_ext memagic``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memagic.magics.notebook import Notebook

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give the shell a session and the magics that talk to it."""
    for kind, name, function in Notebook(shell).magics():
        shell.magics_manager.register_function(function, kind, name)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics away, and the session with them."""
    for kind, name, _ in Notebook(shell).magics():
        for one in kind.split("_"):
            shell.magics_manager.magics[one].pop(name, None)
