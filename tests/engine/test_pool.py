"""Blocks on several threads: the same results to the last bit."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from memagic.engine import blocks, families
from memagic.engine.fit import Settings, fit
from memagic.engine.pool import in_order


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK_ELEMENTS", 64)


def test_in_order_keeps_the_order_and_uses_several_threads():
    both = threading.Barrier(2, timeout=10)

    def function(i: int) -> int:
        both.wait()  # passes only where two threads are at it
        return i * i

    assert in_order(function, 8, 2) == [i * i for i in range(8)]


def test_after_an_error_nothing_more_is_begun():
    begun = []

    def function(i: int) -> int:
        begun.append(i)
        if i == 0:
            raise ValueError("the first")
        threading.Event().wait(0.01)
        return i

    with pytest.raises(ValueError, match="the first"):
        in_order(function, 500, 2)
    assert len(begun) < 500


def test_threads_inherit_what_is_done_about_overflow():
    with np.errstate(over="ignore"):
        found = in_order(lambda i: float(np.exp(np.array([1000.0 + i]))[0]), 4, 2)
    assert found == [np.inf] * 4


def problems(model, nested):
    """A problem and its settings by name."""
    sizes = tuple(range(3, 11)) * 6
    logit, _ = model("bernoulli-logit", sizes=sizes)
    rng = np.random.default_rng(5)
    levels = logit.x[:, 0] + rng.normal(size=len(logit.y)) + 1.0
    codes = np.clip(np.round(levels), 0, 2)
    gaussian, _ = model("gaussian-identity", sizes=sizes)
    counts, _ = model("poisson-log", sizes=sizes)
    deep, _ = nested(
        "bernoulli-logit", (("independent", 1), ("independent", 1)), tuple(((3, 4), (5, 6, 2)) * 6)
    )
    return {
        "logit": (logit, Settings()),
        "ordinal": (replace(logit, family=families.OrdinalLogit(3), y=codes, x=logit.x[:, :1]), Settings()),
        "nbinomial": (replace(counts, family=families.NegativeBinomialMean()), Settings()),
        "gaussian": (gaussian, Settings()),
        "laplace": (logit, Settings(method="laplace")),
        "modes": (logit, Settings(method="mcaghermite", n_points=5)),
        "nested": (deep, Settings(n_points=5)),
    }


@pytest.mark.parametrize("name", ["logit", "ordinal", "nbinomial", "gaussian", "laplace", "modes", "nested"])
def test_a_fit_does_not_depend_on_the_number_of_threads(name, model, nested, small_blocks):
    problem, settings = problems(model, nested)[name]
    one = fit(problem, settings)
    for threads in (2, 3):
        several = fit(problem, replace(settings, threads=threads))
        assert several.log_likelihood == one.log_likelihood
        for part in ("estimates", "covariance", "gradient", "hessian"):
            np.testing.assert_array_equal(getattr(several, part), getattr(one, part))
        assert several.log == one.log
