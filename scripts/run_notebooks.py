"""Run the notebooks and store their outputs, without what only a live kernel can use.

    python scripts/run_notebooks.py [NOTEBOOK ...]

All of notebooks/ without arguments. Widgets are stored as the tables and drawings that stand for them
where no kernel runs. Times of execution are left out, so that nothing but contents changes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
LIVE = "application/vnd.jupyter.widget-view+json"


def main() -> None:
    """Run each notebook in a kernel of its own and write it back."""
    paths = [Path(name) for name in sys.argv[1:]] or sorted((HERE.parent / "notebooks").glob("*.ipynb"))
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        began = time.perf_counter()
        NotebookClient(
            notebook, timeout=300, kernel_name="python3", record_timing=False, coalesce_streams=True
        ).execute()
        strip(notebook)
        nbformat.write(notebook, path)
        seconds = time.perf_counter() - began
        print(f"{path.name}: {seconds:.1f} s, {path.stat().st_size / 1000:.0f} kB")


def strip(notebook: nbformat.NotebookNode) -> None:
    """Leave out widgets that no kernel stands behind, empty displays and times."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(LIVE, None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if not is_empty(output)]


def is_empty(output: nbformat.NotebookNode) -> bool:
    """Whether nothing is shown: a live iteration log that has ended, or a widget alone."""
    return output.output_type == "display_data" and not any(output.get("data", {}).values())


if __name__ == "__main__":
    main()
