"""Figures of results; matplotlib is imported here, inside functions, and nowhere else."""
