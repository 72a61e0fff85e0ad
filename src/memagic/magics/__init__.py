"""The commands as IPython magics, after ``%load_ext memagic``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memagic.magics import completion
from memagic.magics.notebook import Notebook
from memagic.magics.settings import MeMagic, traced
from memagic.magics.untaken import showing

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give the shell a session, the magics that talk to it, completion and settings."""
    notebook = Notebook(shell)
    settings = MeMagic(notebook.session, parent=shell)
    _remove_settings(shell)
    _configurables(shell).append(settings)
    for kind, name, function in notebook.magics():
        magic = showing(traced(function, settings), shell)
        shell.magics_manager.register_function(magic, kind, name)
    completion.install(shell, notebook)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take all of them away."""
    for kind, name, _ in Notebook(shell).magics():
        for one in kind.split("_"):
            shell.magics_manager.magics[one].pop(name, None)
    completion.remove(shell)
    _remove_settings(shell)


def _remove_settings(shell: InteractiveShell) -> None:
    others = [one for one in _configurables(shell) if not isinstance(one, MeMagic)]
    _configurables(shell)[:] = others


def _configurables(shell: InteractiveShell) -> list[Any]:
    """What `%config` lists."""
    configurables: list[Any] = shell.configurables
    return configurables
