"""Cutting a problem into blocks of whole top-level clusters, and the sums within one.

Rows are put in the order of their clusters, and within the lowest ones in the order of their *cell*:
the rows that share one row of Z. All that the random effects do to a row they do to its cell, so the
work on Z is done once a cell: once a cluster for a random intercept, twice for an indicator.

Effects of all levels are stacked: a cluster of the lowest level carries its own effects and, before
them, those of the groups it lies in. Its stack is called its chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from memagic.engine.kernel import products_by_cluster
from memagic.engine.problem import Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Block", "arrange"]

# Elements of a rows x nodes array in a block, of which one is held at a time: calls should weigh little.
_BLOCK_ELEMENTS = 1 << 19
# A sample of rows that tells whether rows of Z repeat often enough for cells to pay.
_CELL_SAMPLE = 2000
_MOST_CODES = int(np.iinfo(np.intp).max)


class Summation:
    """Sums of consecutive rows: the product with an indicator matrix.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Sorted; the rows of equal code are summed.
    size : int
        Number of codes; all of 0..size-1 occur.
    """

    def __init__(self, codes: Index, size: int) -> None:
        n = len(codes)
        self.shape = (size, n)
        self._starts = np.searchsorted(codes, np.arange(size))

    @cached_property
    def _matrix(self) -> csr_array:
        """Made where it is needed: for a random intercept it never is."""
        n = self.shape[1]
        return csr_array((np.ones(n), np.arange(n), np.append(self._starts, n)), shape=self.shape)

    def __matmul__(self, values: Array) -> Array:
        """Sums of `values` of shape (n, K), shape (size, K).

        Where n is size these are the values themselves, not a copy: do not write to them.
        """
        if self.shape[0] == self.shape[1]:
            return values
        if values.shape[1] == 1:
            # One column is quicker without the sparse product's overhead.
            return np.add.reduceat(values[:, 0], self._starts)[:, None]
        return np.asarray(self._matrix @ values)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole top-level clusters. M_1..M_L count its clusters by level, C its cells, n its rows.

    Attributes
    ----------
    clusters : slice
        Which top-level clusters of the problem these are.
    dims : tuple of int
        Numbers of effects by level; their sum is Q.
    y : ndarray, shape (n, 1)
    x : ndarray, shape (n, p)
    offset : ndarray, shape (n,), or None
    trials : ndarray, shape (n, 1), or float
    cell_of_row : ndarray of int, shape (n,)
    cluster_of_cell : ndarray of int, shape (C,)
        The lowest-level cluster of a cell.
    cluster_of_row : ndarray of int, shape (n,)
    ancestors : tuple of ndarray of int, each shape (M_L,)
        By level, the cluster that a lowest-level cluster lies in.
    parents : tuple of ndarray of int
        By level, shape (M_l,), the cluster of the level above; empty for the highest level.
    tops : tuple of ndarray of int
        By level, shape (M_l,), the top-level cluster.
    z : ndarray, shape (C, Q)
        The row of Z that a cell's rows share.
    sum_cells : Summation, shape (C, n)
        Sums rows within cells.
    sum_clusters : Summation, shape (M_L, C)
        Sums cells within lowest-level clusters.
    sum_up : tuple of Summation
        For every level but the highest, shape (M_{l-1}, M_l): sums its clusters within those of the
        level above.
    sum_top : Summation, shape (M_1, M_L)
        Sums lowest-level clusters within top-level ones.
    weight : ndarray, shape (n, 1), or None
        Weights of the rows.
    level_weights : tuple of ndarray or None
        By level, shape (M_l,), the weights of its clusters; empty without weights at any level.
    chain_weights : tuple of ndarray
        By level, shape (M_l,), a cluster's weight times those of the groups it lies in, without that of
        the highest level; empty without weights at any level.
    """

    clusters: slice
    dims: tuple[int, ...]
    y: Array
    x: Array
    offset: Array | None
    trials: Array | float
    cell_of_row: Index
    cluster_of_cell: Index
    cluster_of_row: Index
    ancestors: tuple[Index, ...]
    parents: tuple[Index, ...]
    tops: tuple[Index, ...]
    z: Array
    sum_cells: Summation
    sum_clusters: Summation
    sum_up: tuple[Summation, ...]
    sum_top: Summation
    weight: Array | None
    level_weights: tuple[Array, ...]
    chain_weights: tuple[Array, ...]

    @property
    def n_clusters(self) -> int:
        """Top-level clusters."""
        return self.sum_top.shape[0]

    @property
    def n_lowest(self) -> int:
        """Lowest-level clusters."""
        return self.sum_top.shape[1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Clusters by level."""
        return tuple(len(top) for top in self.tops)

    def counted(self, values: Array, level: int) -> Array:
        """Values of a level's clusters, shape (M_l, ...), times their weights."""
        if not self.level_weights:
            return values
        return values * self.level_weights[level].reshape(-1, *(1 for _ in values.shape[1:]))

    def eta(self, fixed: Array, effects: Array) -> Array:
        """Linear predictors at K values of the random effects.

        Parameters
        ----------
        fixed : ndarray, shape (n,)
        effects : ndarray, shape (M_L, Q, K)
            Values of the chains u = L v.

        Returns
        -------
        ndarray, shape (n, K)
        """
        at_cells = self.along_z(effects)
        eta = np.take(at_cells, self.cell_of_row, axis=0, mode="clip")
        eta += fixed[:, None]
        return eta

    def along_z(self, effects: Array) -> Array:
        """Z u for every cell, shape (C, K), of `effects` of shape (M_L, Q, K)."""
        of_cell = effects if len(effects) == len(self.z) else effects[self.cluster_of_cell]
        return np.asarray(np.matmul(self.z[:, None, :], of_cell)[:, 0, :])

    def z_sums(self, at_cells: Array) -> Array:
        """Z' s within lowest-level clusters, shape (M_L, K, Q), of cell sums `s`, shape (C, K)."""
        if self.n_lowest == 1:
            return np.asarray((at_cells.T @ self.z)[None])
        n, q, n_values = *self.z.shape, at_cells.shape[1]
        products = (at_cells[:, :, None] * self.z[:, None, :]).reshape(n, n_values * q)
        return (self.sum_clusters @ products).reshape(self.n_lowest, n_values, q)

    def x_sums(self, values: Array) -> Array:
        """X' s within lowest-level clusters, shape (M_L, p), of rows `s`, shape (n, 1)."""
        return products_by_cluster(self, values)

    def fixed_part(self, beta: Array) -> Array:
        """X beta + offset, shape (n,)."""
        eta = self.x @ beta
        return np.asarray(eta if self.offset is None else eta + self.offset)


def _cells(z: Array) -> Index:
    """A code for every row such that rows of equal code have equal rows of Z."""
    sample = z[:: max(1, len(z) // _CELL_SAMPLE)]
    if len(z) > 50 and len(np.unique(_row_codes(sample))) > len(sample) // 4:
        return np.arange(len(z))
    return _row_codes(z)


def _row_codes(z: Array) -> Index:
    """Codes in the order of the rows of Z, made column by column: to sort whole rows is slow."""
    codes, size = np.zeros(len(z), dtype=np.intp), 1
    for column in z.T:
        if np.all(column == column[0]):
            continue
        values = np.unique(column)
        if size > _MOST_CODES // len(values):
            kept, codes = np.unique(codes, return_inverse=True)
            size = len(kept)
        codes = codes * len(values) + np.searchsorted(values, column)
        size *= len(values)
    return codes


def arrange(problem: Problem, n_nodes: int) -> list[Block]:
    """Cut a problem into blocks of whole top-level clusters that suit `n_nodes` nodes a row.

    Blocks depend on the data and on `n_nodes` alone, and results are summed in their order, so
    that they are the same in every run.
    """
    z = np.concatenate([level.z for level in problem.levels], axis=1)
    cell = _cells(z)
    keys = [level.cluster for level in problem.levels]
    order = np.lexsort((cell, *reversed(keys)))
    # Where a cluster of each level, or a cell, begins among the sorted rows.
    starts = []
    begins = np.zeros(len(order), dtype=bool)
    begins[0] = True
    for key in (*keys, cell):
        key = key[order]
        begins = begins.copy()
        begins[1:] |= key[1:] != key[:-1]
        starts.append(begins)
    first_row = np.append(np.flatnonzero(starts[0]), len(order))
    rows_of_block = max(1, _BLOCK_ELEMENTS // n_nodes)
    blocks = []
    start = 0
    n_clusters = len(first_row) - 1
    while start < n_clusters:
        stop = int(np.searchsorted(first_row, first_row[start] + rows_of_block, side="right")) - 1
        stop = min(max(stop, start + 1), n_clusters)
        rows = slice(int(first_row[start]), int(first_row[stop]))
        blocks.append(_block(problem, z, order[rows], [s[rows] for s in starts], slice(start, stop)))
        start = stop
    return blocks


def _block(
    problem: Problem, z: Array, rows: Index, starts: list[NDArray[np.bool_]], clusters: slice
) -> Block:
    """The block of the given top-level clusters, whose sorted rows are `rows`.

    Parameters
    ----------
    starts : list of ndarray of bool, each shape (n,)
        Rows at which a cluster of each level begins, then rows at which a cell does.
    """
    codes = [np.cumsum(s) - 1 for s in starts]
    first = [np.flatnonzero(s) for s in starts]
    cell_of_row, lowest = codes[-1], codes[-2]
    first_cell, first_lowest = first[-1], first[-2]
    n_levels, n_lowest = len(problem.levels), len(first_lowest)
    none = np.zeros(0, dtype=np.intp)
    parents = tuple(codes[k - 1][first[k]] if k else none for k in range(n_levels))
    tops = tuple(codes[0][first[k]] for k in range(n_levels))
    trials = problem.trials
    level_weights = _level_weights(problem, rows, first[:n_levels])
    cluster_of_cell = lowest[first_cell]
    z_of_cell = z[rows[first_cell]]
    return Block(
        clusters=clusters,
        dims=tuple(level.structure.q for level in problem.levels),
        y=problem.y[rows, None],
        x=problem.x[rows],
        offset=None if problem.offset is None else problem.offset[rows],
        trials=trials if isinstance(trials, float) else trials[rows, None],
        cell_of_row=cell_of_row,
        cluster_of_cell=cluster_of_cell,
        cluster_of_row=lowest,
        ancestors=tuple(codes[k][first_lowest] for k in range(n_levels)),
        parents=parents,
        tops=tops,
        z=z_of_cell,
        sum_cells=Summation(cell_of_row, len(first_cell)),
        sum_clusters=Summation(cluster_of_cell, n_lowest),
        sum_up=tuple(Summation(parents[k], len(first[k - 1])) for k in range(1, n_levels)),
        sum_top=Summation(codes[0][first_lowest], len(first[0])),
        weight=None if problem.weight is None else problem.weight[rows, None],
        level_weights=level_weights,
        chain_weights=_chain_weights(level_weights, parents),
    )


def _level_weights(problem: Problem, rows: Index, first: list[Index]) -> tuple[Array, ...]:
    """The weights of every level's clusters, whose first rows are `first`."""
    if all(level.weight is None for level in problem.levels):
        return ()
    return tuple(
        np.ones(len(at)) if level.weight is None else level.weight[level.cluster[rows[at]]]
        for level, at in zip(problem.levels, first, strict=True)
    )


def _chain_weights(level_weights: tuple[Array, ...], parents: tuple[Index, ...]) -> tuple[Array, ...]:
    """Products of the weights along the chains, below the highest level."""
    if not level_weights:
        return ()
    products = [np.ones(len(level_weights[0]))]
    for weight, parent in zip(level_weights[1:], parents[1:], strict=True):
        products.append(products[-1][parent] * weight)
    return tuple(products)
