"""What the start-grid explorer says in tables and words."""

from __future__ import annotations

from math import isfinite

from memagic.display.formats import g
from memagic.display.grid_table import GridRow, GridTable
from memagic.widgets.exploration import Node, Search

__all__ = ["node_label", "nodes_table", "path_table"]


def nodes_table(search: Search) -> GridTable:
    """The log likelihood of every node so far."""
    shown = [axis.component for axis in search.axes]
    heads = (*(search.components[k].name for k in shown), "Log likelihood")
    rows = []
    for node in search.nodes:
        if node.number not in search.values:
            continue
        cells = (*(g(node.values[k]) for k in shown), g(search.values[node.number], 10))
        rows.append(GridRow(node_label(search, node), cells))
    notes = []
    if any(not isfinite(value) for value in search.values.values()):
        notes.append("A log likelihood of . stands for values that are not feasible.")
    left = len(search.nodes) - len(search.values)
    if left:
        notes.append(f"{len(search.values)} of {len(search.nodes)} nodes so far.")
    return GridTable("Log likelihood at the nodes of the grid", heads, tuple(rows), tuple(notes))


def path_table(search: Search) -> GridTable:
    """Where the maximizer went."""
    heads = (*(component.name for component in search.components), "Log likelihood", "Remark")
    rows = tuple(
        GridRow(
            f"Iteration {step.number}",
            (*(g(value) for value in step.values), g(step.log_likelihood, 10), step.remark),
        )
        for step in search.steps
    )
    return GridTable("Path of the maximizer", heads, rows)


def node_label(search: Search, node: Node) -> str:
    """``Grid node 3 (best)``."""
    remarks = ["start"] if node.number == 0 else []
    if node.number == search.best:
        remarks.append("best")
    return f"Grid node {node.number}" + (f" ({', '.join(remarks)})" if remarks else "")
