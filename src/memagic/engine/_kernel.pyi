from typing import Final

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]
_Index = NDArray[np.intp]

KINDS: Final[tuple[str, ...]]
MOST_SMALL: Final[int]

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
def average_rows(
    values: _Array,
    weights: _Array,
    chains: _Array,
    x: _Array,
    z: _Array,
    cell_of_row: _Index,
    cluster_of_row: _Index,
    by_column: _Array,
    by_effects: _Array | None,
    n_clusters: int,
    n_cells: int,
    /,
) -> None: ...
def response_averages(
    link: int, mu: _Array, s: _Array, at: _Array, weights: _Array, out: _Array, /
) -> None: ...
def eliminate_level(
    curvature: _Array,
    lift: _Array | None,
    inverse: _Array,
    slope: _Array,
    up: _Array,
    log_det: _Array,
    /,
) -> int: ...
def second_moments(values: _Array, weights: _Array, out: _Array, n_clusters: int, /) -> None: ...
def conditional_means(
    values: _Array, conditional: _Array, out: _Array, n_clusters: int, n_upper: int, /
) -> None: ...
def point(
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
    z_first: _Array,
    eta: _Array,
    first: _Array,
    second: _Array,
    n_clusters: int,
    n_cells: int,
    /,
) -> None: ...
def z_products(
    weights: _Array,
    z: _Array,
    cell_of_row: _Index,
    cluster_of_row: _Index,
    out: _Array,
    n_clusters: int,
    n_cells: int,
    /,
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
def bernoulli_cumulant(eta: _Array, out: _Array, /) -> None: ...
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
def cluster_products(
    cluster: _Index, z: _Array, x: _Array, sizes: _Array, zz: _Array, zx: _Array, /
) -> None: ...
def residual_products(
    cluster: _Index,
    z: _Array,
    x: _Array,
    y: _Array,
    beta: _Array,
    z_r: _Array,
    x_r: _Array,
    r_r: _Array,
    /,
) -> None: ...
def linear_likelihood(
    sizes: _Array,
    zz: _Array,
    zx: _Array,
    z_r: _Array,
    x_r: _Array,
    r_r: _Array,
    factor: _Array,
    change: _Array,
    log_sigma: float,
    log_l: _Array,
    scores: _Array | None,
    hessian: _Array | None,
    second: _Array | None,
    /,
) -> None: ...
def eliminate(
    begins: _Index,
    row: _Index,
    place: _Index,
    listed: _Index | None,
    q: int,
    inverse: _Array,
    entries: _Array,
    solved: _Array,
    left: _Array | None,
    /,
) -> None: ...
def invert(
    begins: _Index,
    row: _Index,
    place: _Index,
    listed: _Index | None,
    q: int,
    inverse: _Array,
    solved: _Array,
    rest: _Array | None,
    across: _Array,
    corner: _Array,
    /,
) -> None: ...
def forwards(
    begins: _Index,
    row: _Index,
    column: _Index,
    listed: None,
    q: int,
    inverse: _Array,
    entries: _Array,
    rhs: _Array,
    first: int,
    k: int,
    /,
) -> None: ...
def backwards(
    begins: _Index,
    row: _Index,
    column: _Index,
    listed: None,
    q: int,
    solved: _Array,
    rhs: _Array,
    first: int,
    k: int,
    /,
) -> None: ...
def factor(
    begins: _Index,
    row: _Index,
    place: _Index,
    listed: _Index | None,
    q: int,
    flat: _Array,
    inverse: _Array,
    solved: _Array,
    sizes: _Index,
    n_left: int,
    /,
) -> tuple[float, float] | None: ...
def inverses(
    begins: _Index,
    row: _Index,
    place: _Index,
    listed: _Index | None,
    q: int,
    inverse: _Array,
    solved: _Array,
    sizes: _Index,
    roots: _Array,
    flat: _Array,
    traces: _Array,
    /,
) -> None: ...
def solutions(
    begins: _Index,
    row: _Index,
    column: _Index,
    listed: None,
    q: int,
    inverse: _Array,
    entries: _Array,
    solved: _Array,
    sizes: _Index,
    columns: _Index,
    roots: _Array,
    rhs: _Array,
    first: int,
    k: int,
    /,
) -> None: ...
def posterior(
    code: int,
    parameters: _Array,
    columns: _Array,
    index: _Index,
    loadings: _Array,
    fixed: _Array,
    v: _Array,
    eta: _Array,
    first: _Array,
    second: _Array,
    slope: _Array,
    /,
) -> float: ...
def along(index: _Index, loadings: _Array, values: _Array, base: _Array, out: _Array, /) -> None: ...
def sums(index: _Index, loadings: _Array, row: _Array, out: _Array, /) -> None: ...
def curvature(places: _Index, loadings: _Array, weight: _Array, out: _Array, /) -> None: ...
def spread(
    places: _Index,
    index: _Index,
    loadings: _Array,
    inverse: _Array,
    third: _Array,
    by_effect: _Array,
    h: _Array,
    c: _Array,
    sums: _Array,
    /,
) -> None: ...
def by_loading(
    index: _Index,
    loadings: _Array,
    v: _Array,
    u: _Array,
    first: _Array,
    second: _Array,
    c: _Array,
    by_effect: _Array,
    e: _Array,
    score: _Array,
    /,
) -> None: ...
def dot(left: _Array, right: _Array, /) -> float: ...
def coupled(
    first: _Index,
    second: _Index,
    blocks: _Array,
    left: _Array,
    right: _Array,
    left_out: _Array,
    right_out: _Array,
    q: int,
    r: int,
    k: int,
    /,
) -> None: ...
def small_roots(sizes: _Index, flat: _Array, /) -> float | None: ...
def small_inverses(sizes: _Index, roots: _Array, out: _Array, traces: _Array, /) -> None: ...
def small_solutions(sizes: _Index, columns: _Index, roots: _Array, rhs: _Array, k: int, /) -> None: ...
def equal_inverses(s: int, flat: _Array, out: _Array, /) -> float | None: ...
def connect(left: _Index, right: _Index, label: _Index, /) -> None: ...
