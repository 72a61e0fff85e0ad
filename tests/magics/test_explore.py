"""The replay widget and stored estimates as magics, in a shell and in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

from memagic.results import MEResults

if TYPE_CHECKING:
    import pandas as pd

    from conftest import Shell

VIEW = "application/vnd.jupyter.widget-view+json"


def test_stored_estimates(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    assert shell.error("%estimates store a").rc == 301
    shell.value("%melogit -q -o fit y || g:")
    assert shell.value("%estimates store r_int") is None
    shell.value("%melogit -q y x || g:")
    table = shell.value("%est tab r_int . fit, stats(N)")
    assert table.grid.heads == ("r_int", "Active", "fit")
    assert table.grid.rows[-1].cells == ("120",) * 3
    assert shell.error("%estimates replay r_in").hint == "did you mean r_int?"
    assert str(shell.value("%est res r_int")) == "(results r_int are active now)"
    assert "%estimates table r_int r_urban" in shell.ip.object_inspect("%est")["docstring"]


def test_the_variable_holds_the_result(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    found = shell.value("%melogit -o fit y x || g:, widget")
    assert isinstance(found, MEResults)
    assert shell["fit"] is found
    assert shell.value("%melogit -q, widget") is None


def test_a_terminal_shows_the_text(
    shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    shell["df"] = df
    shell.cell("%melogit -q y x || g:")
    capsys.readouterr()
    shell.cell("%melogit, or widget")
    assert "[95% conf. interval]" in capsys.readouterr().out
    shell.cell("%melogit y x || g:, widget")
    assert "Number of obs     =        120" in capsys.readouterr().out


def test_a_notebook_has_the_view_and_the_static_table() -> None:
    cells = [
        "%load_ext memagic\n%use bangladesh",
        "%melogit -o plain c_use age || district:, intmethod(laplace)",
        "%estimates store r_int",
        "%melogit c_use i.urban || district:, intmethod(laplace) widget",
        "%melogit, or level(90) widget",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3").execute()
    estimation, replay = (notebook.cells[k].outputs[-1] for k in (3, 4))
    models = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    for output in (estimation, replay):
        assert output.output_type == "execute_result"
        assert set(output.data) == {"text/plain", "text/html", VIEW}
        assert output.data["text/html"].startswith('<div class="memagic-report">')
        assert output.data[VIEW]["model_id"] in models
    assert "Iteration log" in estimation.data["text/html"]
    assert "[90% conf. interval]" in replay.data["text/html"]
    assert "Odds ratio" in replay.data["text/plain"]
    offered = [model["state"].get("_options_labels") for model in models.values()]
    assert offered.count(["(nothing)", "r_int", "plain"]) == 2
