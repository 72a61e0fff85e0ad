from typing import Final

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]
_Index = NDArray[np.intp]

KINDS: Final[tuple[str, ...]]

def densities(
    code: int,
    parameters: _Array,
    columns: _Array,
    eta: _Array,
    logf: _Array,
    first: _Array | None,
    second: _Array | None,
    /,
) -> None: ...
def look(
    code: int,
    parameters: _Array,
    columns: _Array,
    fixed: _Array,
    effects: _Array,
    z: _Array,
    cell_of_row: _Index,
    cluster_of_row: _Index,
    weight: _Array | None,
    logf: _Array,
    x: _Array | None,
    scores: _Array,
    z_first: _Array,
    second: _Array,
    n_clusters: int,
    n_cells: int,
    n_nodes: int,
    /,
) -> None: ...
def over_nodes(
    values: _Array, cluster_of_row: _Index, by_cluster: _Array, out: _Array, n_clusters: int, /
) -> None: ...
def products_by_cluster(
    x: _Array, cluster_of_row: _Index, values: _Array, out: _Array, n_clusters: int, /
) -> None: ...
def log_rising(
    log_size: _Array, y: _Array, order: int, value: _Array, first: _Array, second: _Array, third: _Array, /
) -> None: ...
def normal_interval(
    eta: _Array,
    below: _Array,
    above: _Array,
    log_probability: _Array,
    mirrored: _Array,
    high: _Array,
    low: _Array,
    at_high: _Array,
    at_low: _Array,
    /,
) -> None: ...
def gompertz(eta: _Array, log_success: _Array, h: _Array, w: _Array, /) -> None: ...
def chain_nodes(
    upper: _Array | None,
    parents: _Index,
    mean: _Array,
    root: _Array,
    paths: _Array,
    log_lebesgue: _Array,
    chains: _Array,
    log_weights: _Array,
    n_clusters: int,
    n_above: int,
    /,
) -> None: ...
def weigh(logf: _Array, log_weights: _Array, log_l: _Array, n_clusters: int, /) -> None: ...
def join(upper: _Array, parents: _Index, conditional: _Array, out: _Array, n_above: int, /) -> None: ...
def moments(
    weights: _Array,
    chains: _Array,
    mean: _Array,
    root: _Array,
    new_mean: _Array,
    new_root: _Array,
    n_clusters: int,
    /,
) -> float: ...
