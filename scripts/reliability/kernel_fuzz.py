"""The compiled kernel against textbook formulas: densities by mpmath, looks by sums in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf
from numpy.typing import NDArray
from tests.engine.kernel_rows import Rows

from memagic.engine import families, kernel

Array = NDArray[np.float64]
Number = Any

EXTREME = tuple(
    sign * size
    for size in (1e-300, 1e-8, 1.0, 30.0, 40.0, 700.0, 745.0, 1e3, 1e4, 1e6, 1e8)
    for sign in (1.0, -1.0)
)
# Exponents are held at 700 and below, half of that where squares are taken.
HELD = 300.0


@dataclass(frozen=True)
class Case:
    """A family, how its data are drawn, and its log density in the textbook's words."""

    family: Any
    n_phi: int
    draw: Callable[[np.random.Generator], tuple[float, float]]
    log_density: Callable[[Number, Number, Number, list[Number]], Number]


def _log_normal_cdf(x: Number) -> Number:
    return (
        mpmath.log(mpmath.erfc(-x / mpmath.sqrt(2)) / 2)
        if x < 5
        else mpmath.log1p(-mpmath.erfc(x / mpmath.sqrt(2)) / 2)
    )


def _normal(y: Number, mu: Number, phi: list[Number]) -> Number:
    return -mpmath.log(2 * mpmath.pi) / 2 - phi[0] - ((y - mu) * mpmath.exp(-phi[0])) ** 2 / 2


def _binomial(log_p: Callable[[Number], Number], log_q: Callable[[Number], Number]) -> Callable[..., Number]:
    def log_density(eta: Number, y: Number, r: Number, _phi: list[Number]) -> Number:
        successes = y * log_p(eta) if y else mpf(0)
        failures = (r - y) * log_q(eta) if r - y else mpf(0)
        return mpmath.log(mpmath.binomial(r, y)) + successes + failures

    return log_density


def _gamma(eta: Number, y: Number, _r: Number, phi: list[Number]) -> Number:
    shape = mpmath.exp(-2 * phi[0])
    return (
        shape * (mpmath.log(shape) - eta)
        - mpmath.loggamma(shape)
        + (shape - 1) * mpmath.log(y)
        - shape * y * mpmath.exp(-eta)
    )


def _negative_binomial(eta: Number, y: Number, size: Number, dispersion: Number) -> Number:
    """Mean exp(eta), variance mean (1 + dispersion); size times dispersion is the mean."""
    ratio = mpmath.loggamma(y + size) - mpmath.loggamma(size) if y < 60 else None
    if ratio is None or size > 1e20:
        ratio = mpmath.fsum(mpmath.log(size + k) for k in range(int(y)))
    return (
        ratio
        - mpmath.loggamma(y + 1)
        + y * (mpmath.log(dispersion) - mpmath.log1p(dispersion))
        - size * mpmath.log1p(dispersion)
    )


def _nb_mean(eta: Number, y: Number, _r: Number, phi: list[Number]) -> Number:
    return _negative_binomial(eta, y, mpmath.exp(-phi[0]), mpmath.exp(eta + phi[0]))


def _nb_constant(eta: Number, y: Number, _r: Number, phi: list[Number]) -> Number:
    return _negative_binomial(eta, y, mpmath.exp(eta - phi[0]), mpmath.exp(phi[0]))


def _ordinal(low: Callable[[Number], Number], high: Callable[[Number], Number]) -> Callable[..., Number]:
    """From the distribution function and its complement: the difference of the smaller ones."""

    def log_density(eta: Number, y: Number, _r: Number, phi: list[Number]) -> Number:
        k = int(y)
        below = None if k == 0 else phi[k - 1] - eta
        above = None if k == len(phi) else phi[k] - eta
        if below is None:
            return mpmath.log(low(above)) if above < 0 else mpmath.log1p(-high(above))
        if above is None:
            return mpmath.log(high(below)) if below > 0 else mpmath.log1p(-low(below))
        part = high(below) - high(above) if below + above > 0 else low(above) - low(below)
        return mpmath.log(part)

    return log_density


def _expit(x: Number) -> Number:
    return 1 / (1 + mpmath.exp(-x))


def _phi_low(x: Number) -> Number:
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def _gompertz_low(x: Number) -> Number:
    return -mpmath.expm1(-mpmath.exp(x))


def _gompertz_high(x: Number) -> Number:
    return mpmath.exp(-mpmath.exp(x))


def _trials(rng: np.random.Generator) -> tuple[float, float]:
    r = float(rng.integers(1, 30))
    return float(rng.integers(0, int(r) + 1)), r


def _count(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.choice([0, 1, 2, 5, 11, 12, 13, 40, 300])), 1.0


def _real(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.normal() * 10.0 ** rng.integers(-3, 4)), 1.0


def _positive(rng: np.random.Generator) -> tuple[float, float]:
    return float(10.0 ** rng.uniform(-5, 5)), 1.0


def _category(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.integers(0, 4)), 1.0


_LOGIT = _binomial(lambda e: mpmath.log(_expit(e)), lambda e: mpmath.log(_expit(-e)))
_CLOGLOG = _binomial(lambda e: mpmath.log(_gompertz_low(e)), lambda e: -mpmath.exp(e))
_PROBIT = _binomial(_log_normal_cdf, lambda e: _log_normal_cdf(-e))

CASES: dict[str, Case] = {
    "bernoulli logit": Case(
        families.BinomialLogit(), 0, lambda rng: (float(rng.integers(0, 2)), 1.0), _LOGIT
    ),
    "binomial logit": Case(families.BinomialLogit(), 0, _trials, _LOGIT),
    "binomial probit": Case(families.BinomialProbit(), 0, _trials, _PROBIT),
    "binomial cloglog": Case(families.BinomialCloglog(), 0, _trials, _CLOGLOG),
    "poisson": Case(
        families.PoissonLog(), 0, _count, lambda e, y, r, p: y * e - mpmath.exp(e) - mpmath.loggamma(y + 1)
    ),
    "gaussian": Case(families.GaussianIdentity(), 1, _real, lambda e, y, r, p: _normal(y, e, p)),
    "gaussian log": Case(families.GaussianLog(), 1, _real, lambda e, y, r, p: _normal(y, mpmath.exp(e), p)),
    "gamma": Case(families.GammaLog(), 1, _positive, _gamma),
    "nbinomial mean": Case(families.NegativeBinomialMean(), 1, _count, _nb_mean),
    "nbinomial constant": Case(families.NegativeBinomialConstant(), 1, _count, _nb_constant),
    "ordinal logit": Case(families.OrdinalLogit(4), 3, _category, _ordinal(_expit, lambda x: _expit(-x))),
    "ordinal probit": Case(
        families.OrdinalProbit(4), 3, _category, _ordinal(_phi_low, lambda x: _phi_low(-x))
    ),
    "ordinal cloglog": Case(
        families.OrdinalCloglog(4), 3, _category, _ordinal(_gompertz_low, _gompertz_high)
    ),
}


@dataclass
class Worst:
    """Largest errors, relative to the size of the terms, and what was wrong altogether."""

    value: float = 0.0
    first: float = 0.0
    second: float = 0.0
    wrong: tuple[str, ...] = ()


def densities(name: str, count: int, rng: np.random.Generator) -> Worst:
    """One density at random and at extreme linear predictors."""
    case, worst = CASES[name], Worst()
    for k in range(count):
        eta = float(rng.normal() * 10.0 ** rng.uniform(-2, 1.5)) if k >= len(EXTREME) else EXTREME[k]
        y, r = case.draw(rng)
        phi = np.sort(rng.normal(size=case.n_phi)) * (1.0 if case.n_phi < 2 else 2.0)
        at = np.array([eta])
        ours = case.family.derivatives(at, np.array([y]), np.array([r]), phi)
        constant = float(case.family.constant(np.array([y]), np.array([r]))[0])
        alone = case.family.log_density(at, np.array([y]), np.array([r]), phi)
        _compare(worst, name, case, eta, (y, r), phi, [float(o[0]) for o in ours], constant, float(alone[0]))
    return worst


def _compare(
    worst: Worst,
    name: str,
    case: Case,
    eta: float,
    data: tuple[float, float],
    phi: Array,
    ours: list[float],
    constant: float,
    alone: float,
) -> None:
    y, r = data
    where = f"{name}: eta {eta!r}, y {y!r}, r {r!r}, phi {phi.tolist()!r}: {ours}"
    if any(v != v for v in ours) or ours[0] == np.inf:
        worst.wrong += (f"not a number: {where}",)
        return
    if abs(alone - ours[0]) > 1e-12 * (1.0 + abs(ours[0])):
        worst.wrong += (f"with and without derivatives differ: {where}",)
    mpmath.mp.dps = 90
    if abs(eta) > 800 and ("cloglog" in name or name == "nbinomial constant"):
        # The textbook's formula takes the exponential of an exponential, or log gamma functions of one.
        return
    function = lambda e: case.log_density(e, mpf(y), mpf(r), [mpf(float(p)) for p in phi])  # noqa: E731
    true = function(mpf(eta))
    if abs(true) > mpmath.exp(HELD):
        if ours[0] > -1e130:
            worst.wrong += (f"too likely, log f is {mpmath.nstr(true, 5)}: {where}",)
        return
    size = 1.0 + abs(y) + r + float(abs(true))
    worst.value = max(worst.value, float(abs(mpf(ours[0]) + mpf(constant) - true)) / size)
    step = mpf(10) ** -18
    up, down = function(mpf(eta) + step), function(mpf(eta) - step)
    slope, bend = (up - down) / (2 * step), (up - 2 * true + down) / step**2
    # The kernel's sums have terms of these sizes.
    scale = float(abs(slope)) + abs(y) + r
    worst.first = max(worst.first, float(abs(ours[1] - slope)) / max(scale, 1e-300))
    # Of a normal's tail the second derivative is a difference of terms of the size of eta^2.
    if "probit" in name and abs(eta) > 1e3:
        return
    worst.second = max(worst.second, float(abs(ours[2] - bend)) / (float(abs(bend)) + abs(y) + r))


def look(rng: np.random.Generator) -> str | None:
    """One look of random sizes at nodes, from arrays of any layout, against sums of densities."""
    name = str(rng.choice(list(CASES)))
    case = CASES[name]
    sizes = rng.integers(1, int(rng.choice([2, 9, 700])), size=int(rng.integers(1, 9)))
    n, clusters, q = int(sizes.sum()), len(sizes), int(rng.integers(1, 5))
    nodes = int(rng.choice([1, 2, 3, 7, 8, 49, 511, 512, 513, 1024, 2000, int(rng.integers(1, 2001))]))
    nodes = max(1, min(nodes, 400_000 // n))
    cluster = np.repeat(np.arange(clusters), sizes)
    cell = np.cumsum(np.r_[False, (cluster[1:] != cluster[:-1]) | (rng.random(n - 1) < rng.random())])
    data = np.array([case.draw(rng) for _ in range(n)])
    weight = rng.uniform(0, 3, (n, 1)) if rng.random() < 0.5 else None
    z, x = rng.normal(size=(int(cell[-1]) + 1, q)), rng.normal(size=(n, int(rng.integers(0, 4))))
    effects = rng.normal(size=(clusters, nodes, q)).transpose(0, 2, 1)  # not contiguous
    fixed = np.ascontiguousarray(rng.normal(size=2 * n)[::2]) * 10.0 ** rng.integers(-1, 3)
    phi = np.sort(rng.normal(size=case.n_phi))
    rows = Rows(x, z, cell.astype(np.intp), cluster.astype(np.intp), weight, clusters)
    y, r = data[:, :1], data[:, 1:]
    one = 1.0 if (r == 1.0).all() else r
    eta = fixed[:, None] + np.einsum("iq,iqk->ik", z[cell], effects[cluster])
    logf, first, second = case.family.derivatives(np.asfortranarray(eta), y, one, phi)
    w = 1.0 if weight is None else weight
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    terms = case.family.terms(y, one, phi)
    d = x.shape[1] + int(rng.integers(0, 3))
    sums = kernel.look_with_derivatives(rows, terms, fixed, effects, d)
    expected = np.add.reduceat(w * logf, starts, axis=0)
    size = np.add.reduceat(np.abs(w * logf) + 1.0, starts, axis=0)
    products = np.einsum("ip,ik->ipk", x, w * first)
    by_z = np.einsum("iq,ik->iqk", z[cell], w * first)
    checks = {
        "log f": np.abs(sums.logf - expected) / size,
        "log f alone": np.abs(kernel.look(rows, terms, fixed, effects) - expected) / size,
        "scores": np.abs(sums.scores[:, : x.shape[1]] - np.add.reduceat(products, starts))
        / (np.add.reduceat(np.abs(products), starts) + 1e-300 + 1.0),
        "beyond": np.abs(sums.scores[:, x.shape[1] :]),
        "z first": np.abs(sums.z_first - np.add.reduceat(by_z, starts))
        / (np.add.reduceat(np.abs(by_z), starts) + 1.0),
        "second": np.abs(sums.second - w * second) / (np.abs(w * second) + 1e-300),
    }
    for what, errors in checks.items():
        if errors.size and not float(errors.max()) < 1e-10:
            weighted = "not " * (weight is None) + "weighted"
            return f"{what} is off by {errors.max():.2g}: {name}, n {n}, K {nodes}, Q {q}, {weighted}"
    return None


def edges() -> list[str]:
    """Missing linear predictors, and arrays without elements."""
    found = []
    for name, case in CASES.items():
        y, r = case.draw(np.random.default_rng(1))
        phi = np.arange(float(case.n_phi))
        empty = case.family.derivatives(np.empty((0, 3)), np.empty((0, 1)), np.empty((0, 1)), phi)
        if any(part.shape != (0, 3) for part in empty):
            found.append(f"{name}: no rows")
        logf = case.family.log_density(np.array([np.nan]), np.array([y]), np.array([r]), phi)
        if not np.isnan(logf[0]):
            found.append(f"{name}: a missing linear predictor gives {logf[0]}")
    return found


def survey(count: int, looks: int, seed: int) -> str:
    """All of it, in words."""
    rng, lines = np.random.default_rng(seed), []
    for name in CASES:
        worst = densities(name, count, rng)
        lines.append(f"{name:20} log f {worst.value:.1e}  first {worst.first:.1e}  second {worst.second:.1e}")
        lines += [f"    {wrong}" for wrong in worst.wrong[:3]]
    found = [problem for _ in range(looks) if (problem := look(rng)) is not None]
    lines += [f"{looks} looks, {len(found)} off", *found[:10], *edges()]
    return "\n".join(lines)
