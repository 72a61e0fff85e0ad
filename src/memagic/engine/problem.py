"""The arrays of a model, its parameters, and its cutting into blocks of whole clusters.

Rows are put in the order of their cluster, and within a cluster in the order of their *cell*: the
rows that share one row of Z. All that the random effects do to a row they do to its cell, so the
work on Z is done once a cell: once a cluster for a random intercept, twice for an indicator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from memagic.engine.covariance import CovarianceStructure
from memagic.engine.families import Family

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Block", "Parameters", "Problem", "arrange"]

# Elements of a rows x nodes array in a block: a few such arrays stay in the second-level cache.
_BLOCK_ELEMENTS = 1 << 16
# A sample of rows that tells whether rows of Z repeat often enough for cells to pay.
_CELL_SAMPLE = 2000


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parts of theta.

    Attributes
    ----------
    beta : ndarray, shape (p,)
        Coefficients of the fixed-effects equation.
    omega : ndarray, shape (m,)
        Parameters of the covariance structure.
    phi : ndarray, shape (n_phi,)
        The family's own parameters.
    """

    beta: Array
    omega: Array
    phi: Array

    def pack(self) -> Array:
        """Theta = (beta, omega, phi)."""
        return np.concatenate([self.beta, self.omega, self.phi])


@dataclass(frozen=True, slots=True)
class Problem:
    """A two-level model, or a plain one where there are no clusters.

    Attributes
    ----------
    family : Family
    y : ndarray, shape (n,)
    x : ndarray, shape (n, p)
    offset : ndarray, shape (n,), or None
    trials : ndarray, shape (n,), or float
        Number of trials of a binomial response, else 1.
    cluster : ndarray of int, shape (n,), or None
        Codes 0..M-1 of the groups; None without random effects.
    z : ndarray, shape (n, q), or None
    structure : CovarianceStructure, or None
    """

    family: Family
    y: Array
    x: Array
    offset: Array | None = None
    trials: Array | float = 1.0
    cluster: Index | None = None
    z: Array | None = None
    structure: CovarianceStructure | None = None

    @property
    def p(self) -> int:
        return int(self.x.shape[1])

    @property
    def n_omega(self) -> int:
        return 0 if self.structure is None else self.structure.size

    @property
    def n_clusters(self) -> int:
        return 0 if self.cluster is None else int(self.cluster.max()) + 1

    def unpack(self, theta: Array) -> Parameters:
        """The parts of theta = (beta, omega, phi)."""
        p, m = self.p, self.n_omega
        return Parameters(theta[:p], theta[p : p + m], theta[p + m :])

    def fixed_part(self, beta: Array) -> Array:
        """X beta + offset, shape (n,)."""
        eta = self.x @ beta
        return np.asarray(eta if self.offset is None else eta + self.offset)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole clusters, rows in the order of clusters and cells.

    Attributes
    ----------
    clusters : slice
        Which clusters of the problem these are.
    y : ndarray, shape (n, 1)
    x : ndarray, shape (n, p)
    offset : ndarray, shape (n,), or None
    trials : ndarray, shape (n, 1), or float
    cell_of_row : ndarray of int, shape (n,)
    cluster_of_cell : ndarray of int, shape (C,)
    cluster_of_row : ndarray of int, shape (n,)
    z : ndarray, shape (C, q)
        The row of Z that a cell's rows share.
    sum_cells : csr_array, shape (C, n)
        Sums rows within cells.
    sum_clusters : csr_array, shape (M, C)
        Sums cells within clusters.
    x_by_cluster : csr_array, shape (M p, n)
        Row j p + c holds column c of X for the rows of cluster j: X_j' r in one product.
    """

    clusters: slice
    y: Array
    x: Array
    offset: Array | None
    trials: Array | float
    cell_of_row: Index
    cluster_of_cell: Index
    cluster_of_row: Index
    z: Array
    sum_cells: csr_array
    sum_clusters: csr_array
    x_by_cluster: csr_array

    @property
    def n_clusters(self) -> int:
        return int(self.sum_clusters.shape[0])

    def eta(self, fixed: Array, effects: Array) -> Array:
        """Linear predictors at K values of the random effects.

        Parameters
        ----------
        fixed : ndarray, shape (n,)
        effects : ndarray, shape (M, K, q)
            Values of u_j = L v_j.

        Returns
        -------
        ndarray, shape (n, K)
        """
        at_cells = self.along_z(effects)
        eta = np.take(at_cells, self.cell_of_row, axis=0, mode="clip")
        eta += fixed[:, None]
        return eta

    def along_z(self, effects: Array) -> Array:
        """Z u for every cell, shape (C, K), of `effects` of shape (M, K, q)."""
        single = len(self.cluster_of_cell) == len(effects)
        total: Array | None = None
        for c in range(self.z.shape[1]):
            part = effects[:, :, c] if single else effects[self.cluster_of_cell, :, c]
            part = part * self.z[:, c, None]
            total = part if total is None else np.add(total, part, out=total)
        if total is None:
            raise ValueError("a level has at least one random effect")
        return total

    def z_sums(self, at_cells: Array) -> Array:
        """Z' s within clusters, shape (M, K, q), of cell sums `s` of shape (C, K)."""
        columns = [self.sum_clusters @ (at_cells * self.z[:, c, None]) for c in range(self.z.shape[1])]
        return np.stack(columns, axis=2)

    def fixed_part(self, beta: Array) -> Array:
        """X beta + offset, shape (n,)."""
        eta = self.x @ beta
        return np.asarray(eta if self.offset is None else eta + self.offset)


def _cells(z: Array) -> Index:
    """A code for every row such that rows of equal code have equal rows of Z."""
    n = len(z)
    if np.all(z == z[0]):
        return np.zeros(n, dtype=np.intp)
    sample = z[:: max(1, n // _CELL_SAMPLE)]
    if n > 50 and len(np.unique(sample, axis=0)) > len(sample) // 4:
        return np.arange(n)
    return np.unique(z, axis=0, return_inverse=True)[1].reshape(n)


def arrange(problem: Problem, n_nodes: int) -> list[Block]:
    """Cut a problem into blocks of whole clusters that suit `n_nodes` nodes a cluster.

    Blocks depend on the data and on `n_nodes` alone, and results are summed in their order, so
    that they are the same in every run.
    """
    if problem.cluster is None or problem.z is None:
        raise ValueError("a problem without clusters has no blocks")
    cell_code = _cells(problem.z)
    order = np.lexsort((cell_code, problem.cluster))
    cluster = problem.cluster[order]
    code = cell_code[order]
    first_of_cell = np.r_[True, (cluster[1:] != cluster[:-1]) | (code[1:] != code[:-1])]
    first_row = np.searchsorted(cluster, np.arange(problem.n_clusters + 1))
    rows_of_block = max(1, _BLOCK_ELEMENTS // n_nodes)
    blocks = []
    start = 0
    while start < problem.n_clusters:
        stop = int(np.searchsorted(first_row, first_row[start] + rows_of_block, side="right")) - 1
        stop = min(max(stop, start + 1), problem.n_clusters)
        rows = slice(int(first_row[start]), int(first_row[stop]))
        blocks.append(_block(problem, order[rows], cluster[rows] - start, first_of_cell[rows], start, stop))
        start = stop
    return blocks


def _block(
    problem: Problem, rows: Index, cluster: Index, first_of_cell: NDArray[np.bool_], start: int, stop: int
) -> Block:
    """The block of clusters start..stop-1, whose sorted rows are `rows`."""
    assert problem.z is not None
    n, n_clusters, p = len(rows), stop - start, problem.p
    x = problem.x[rows]
    cell_starts = np.flatnonzero(first_of_cell)
    cluster_of_cell = cluster[cell_starts]
    row_starts = np.searchsorted(cluster, np.arange(n_clusters + 1))
    sizes = np.diff(row_starts)
    # Entry k of the row (j, c) is row k of cluster j: runs of consecutive integers.
    run = np.repeat(sizes, p)
    pointers = np.r_[0, np.cumsum(run)]
    index = np.arange(n * p) - np.repeat(pointers[:-1], run) + np.repeat(np.repeat(row_starts[:-1], p), run)
    column = np.repeat(np.tile(np.arange(p), n_clusters), run)
    trials = problem.trials
    return Block(
        clusters=slice(start, stop),
        y=problem.y[rows, None],
        x=x,
        offset=None if problem.offset is None else problem.offset[rows],
        trials=trials if isinstance(trials, float) else trials[rows, None],
        cell_of_row=np.cumsum(first_of_cell) - 1,
        cluster_of_cell=cluster_of_cell,
        cluster_of_row=cluster,
        z=problem.z[rows[cell_starts]],
        sum_cells=csr_array((np.ones(n), np.arange(n), np.r_[cell_starts, n]), shape=(len(cell_starts), n)),
        sum_clusters=csr_array(
            (
                np.ones(len(cell_starts)),
                np.arange(len(cell_starts)),
                np.searchsorted(cluster_of_cell, np.arange(n_clusters + 1)),
            ),
            shape=(n_clusters, len(cell_starts)),
        ),
        x_by_cluster=csr_array((x[index, column], index, pointers), shape=(n_clusters * p, n)),
    )
