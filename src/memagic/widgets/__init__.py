"""Interactive views of results; ipywidgets is imported here and nowhere else."""
