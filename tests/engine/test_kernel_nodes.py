"""The compiled kernel's work on nodes against the same in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logsumexp

from memagic.engine import kernel_nodes as kernel
from memagic.engine.rules import path_rule

Array = NDArray[np.float64]

# Three clusters above, seven below; one effect above, two below.
PARENTS = np.array([0, 0, 1, 2, 2, 2, 2])
RULE = path_rule(3, (1, 2))


def placed(rng: np.random.Generator, m: int, above: int, q: int) -> tuple[Array, Array]:
    """Means, and rows of Cholesky factors."""
    own = np.tril(rng.normal(size=(m, q, q))) + 2.0 * np.eye(q)
    return rng.normal(size=(m, q)), np.concatenate([rng.normal(size=(m, q, above)), own], axis=2)


def test_chain_nodes() -> None:
    rng = np.random.default_rng(1)
    upper_mean, upper_root = placed(rng, 3, 0, 1)
    none = np.zeros(0, dtype=np.intp)
    upper, upper_weights = kernel.chain_nodes(
        None, none, upper_mean, upper_root, RULE.paths[0], RULE.log_lebesgue[0]
    )
    assert upper == pytest.approx(upper_mean[:, :, None] + upper_root @ RULE.paths[0])
    mean, root = placed(rng, 7, 1, 2)
    chains, weights = kernel.chain_nodes(upper, PARENTS, mean, root, RULE.paths[1], RULE.log_lebesgue[1])
    own = mean[:, :, None] + root @ RULE.paths[1]
    assert chains[:, 1:] == pytest.approx(own)
    assert np.array_equal(chains[:, :1], np.repeat(upper, 9, axis=2)[PARENTS])
    log_det = np.log(np.abs(root[:, 0, 1] * root[:, 1, 2]))
    assert weights == pytest.approx(RULE.log_lebesgue[1] + log_det[:, None] - 0.5 * (own**2).sum(axis=1))
    # The prior's nodes have the rule's own weights: they integrate one to one.
    _, prior = kernel.chain_nodes(
        None, none, np.zeros((2, 1)), np.ones((2, 1, 1)), RULE.paths[0], RULE.log_lebesgue[0]
    )
    assert np.exp(prior).sum(axis=1) == pytest.approx(1.0)
    assert upper_weights.shape == (3, 3)


def test_weigh() -> None:
    rng = np.random.default_rng(2)
    logf, log_weights = rng.normal(scale=300.0, size=(7, 27)), rng.normal(size=(7, 27))
    joined = (logf + log_weights).reshape(7, 3, 9)
    log_l = kernel.weigh(logf, log_weights, 3)
    assert log_l == pytest.approx(logsumexp(joined, axis=2), rel=1e-14)
    # Weights below exp(-708) are as good as none.
    assert logf.reshape(7, 3, 9) == pytest.approx(np.exp(joined - log_l[:, :, None]), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("bad", [-np.inf, np.nan])
def test_nothing_to_weigh(bad: float) -> None:
    logf = np.full((1, 3), bad)
    assert np.isnan(kernel.weigh(logf, np.zeros((1, 3)), 1)).all()


def test_join() -> None:
    rng = np.random.default_rng(3)
    upper, conditional = rng.random((3, 3)), rng.random((7, 27))
    expected = np.repeat(upper[PARENTS], 9, axis=1) * conditional
    assert np.array_equal(kernel.join(upper, PARENTS, conditional), expected)


def test_moments() -> None:
    rng = np.random.default_rng(4)
    weights = rng.dirichlet(np.ones(27), size=7)
    chains = rng.normal(size=(7, 3, 27))
    mean, root = placed(rng, 7, 1, 2)
    new_mean, new_root, shift = kernel.moments(weights, chains, mean, root)
    means = np.einsum("jk,jqk->jq", weights, chains)
    centred = chains - means[:, :, None]
    roots = np.linalg.cholesky((centred * weights[:, None]) @ centred.transpose(0, 2, 1))
    assert new_mean == pytest.approx(means[:, 1:])
    assert new_root == pytest.approx(roots[:, 1:])
    size = np.abs(np.stack([root[:, 0, 1], root[:, 1, 2]], axis=1))
    moves = np.maximum(np.abs(means[:, 1:] - mean), np.abs(roots[:, 1:] - root).max(axis=2)) / size
    assert shift == pytest.approx(moves.max())


def test_singular_moments_leave_nodes_where_they_are() -> None:
    mean, root = placed(np.random.default_rng(5), 2, 0, 2)
    weights = np.full((2, 4), 0.25)
    chains = np.random.default_rng(6).normal(size=(2, 2, 4))
    chains[1, 1] = 2.0 * chains[1, 0]
    new_mean, new_root, _ = kernel.moments(weights, chains, mean, root)
    assert not np.array_equal(new_mean[0], mean[0])
    assert np.array_equal(new_mean[1], mean[1])
    assert np.array_equal(new_root[1], root[1])


def test_arrays_that_do_not_fit_are_refused() -> None:
    mean, root = np.zeros((7, 2)), np.zeros((7, 2, 3))
    upper = np.zeros((3, 1, 3))
    for parents, above in ((PARENTS + 1, upper), (PARENTS, None), (PARENTS, upper[:, :, :2].copy())):
        with pytest.raises(ValueError, match="fit together"):
            kernel.chain_nodes(above, parents, mean, root, RULE.paths[1], RULE.log_lebesgue[1])
    with pytest.raises(ValueError, match="fit together"):
        kernel.join(np.zeros((2, 3)), PARENTS, np.zeros((7, 27)))
    with pytest.raises(ValueError, match="wrong size"):
        kernel.moments(np.zeros((7, 5)), np.zeros((7, 3, 4)), mean, root)
