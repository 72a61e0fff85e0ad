"""The likelihood of a random model, summed over a dense grid of the random effects.

The grid is the trapezoidal rule in every effect, which for these integrands is exact to many digits; it
shares nothing with the package but the command's text and the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

Array = NDArray[np.float64]

# Family: command or options, own parameter.
KINDS: dict[str, tuple[str, str]] = {
    "logit": ("melogit", ""),
    "probit": ("meprobit", ""),
    "cloglog": ("mecloglog", ""),
    "poisson": ("mepoisson", ""),
    "nbinomial": ("menbreg", ""),
    "nbinomial-constant": ("menbreg", "dispersion(constant)"),
    "ologit": ("meologit", ""),
    "oprobit": ("meoprobit", ""),
    "ocloglog": ("meglm", "family(ordinal) link(cloglog)"),
    "gamma": ("meglm", "family(gamma)"),
    "gaussian": ("meglm", ""),
    "gaussian-log": ("meglm", "family(gaussian) link(log)"),
}
COVARIANCES = ("independent", "identity", "exchangeable", "unstructured")


@dataclass
class Drawn:
    """A model with its data.

    Attributes
    ----------
    levels : list of (str, list of str)
        Group variable and the variables of its random effects, ``_cons`` last; highest first.
    """

    kind: str
    frame: pd.DataFrame
    levels: list[tuple[str, list[str]]]
    covariance: str
    offset: bool
    trials: bool
    weight: str
    noconstant: bool

    def command(self, options: str = "", weight: str | None = None) -> str:
        name, own = KINDS[self.kind]
        own += " binomial(n)" if self.trials else ""
        own += " offset(o)" if self.offset else ""
        own += " noconstant" if self.noconstant else ""
        kind = self.weight if weight is None else weight
        text = f"{name} y x t {f'[{kind}=w] ' if kind else ''}{', ' + own if own.strip() else ''}"
        for depth, (group, effects) in enumerate(self.levels):
            words = " ".join(effect for effect in effects if effect != "_cons")
            extra = f"covariance({self.covariance})" if len(effects) > 1 else ""
            extra += f" {kind[0]}weight(w{group})" if kind else ""
            extra += (
                f" {options} intmethod(mvaghermite)"
                if depth == len(self.levels) - 1 and "intm" not in options
                else ""
            )
            extra += f" {options}" if depth == len(self.levels) - 1 and "intm" in options else ""
            text += f" || {group}: {words}" + (f", {extra}" if extra.strip() else "")
        return text


def draw(rng: np.random.Generator) -> Drawn:
    """A model and small data from it, or nearly."""
    kind = str(rng.choice(list(KINDS)))
    three = rng.random() < 0.3
    slope = rng.random() < 0.45
    tops, inner, size = (6, 3, 4) if three else (14, 1, 5)
    g = np.repeat(np.arange(tops), inner * size)
    h = np.repeat(np.arange(tops * inner), size)
    n = len(g)
    frame = pd.DataFrame({"g": g, "h": h, "x": rng.normal(size=n), "t": rng.integers(0, 2, tops)[g]})
    frame["o"], frame["n"] = rng.normal(scale=0.3, size=n), rng.integers(1, 6, n)
    frame["w"] = rng.integers(1, 4, n)
    frame["wg"], frame["wh"] = rng.integers(1, 4, tops)[g], rng.integers(1, 3, tops * inner)[h]
    offset = rng.random() < 0.3
    trials = kind in ("logit", "probit", "cloglog") and rng.random() < 0.3
    eta = (
        0.6 * frame.x
        - 0.4 * frame.t
        + 0.2
        + rng.normal(scale=0.7, size=tops)[g]
        + (frame.o if offset else 0.0)
    )
    eta += rng.normal(scale=0.5, size=tops * inner)[h] + slope * rng.normal(scale=0.5, size=tops)[g] * frame.x
    frame["y"] = _response(kind, np.asarray(eta), frame.n if trials else None, rng)
    levels = [("g", ["x", "_cons"] if slope and not three else ["_cons"])]
    if three:
        levels.append(("h", ["x", "_cons"] if slope else ["_cons"]))
    weight = str(rng.choice(["", "", "fw", "pw", "iw"])) if kind != "gaussian" or not three else ""
    covariance = str(rng.choice(COVARIANCES))
    return Drawn(kind, frame, levels, covariance, offset, trials, weight, rng.random() < 0.15)


def _response(kind: str, eta: Array, trials: Any, rng: np.random.Generator) -> Any:
    n = len(eta)
    if kind in ("logit", "probit", "cloglog"):
        p = {"logit": special.expit, "probit": special.ndtr, "cloglog": lambda e: -np.expm1(-np.exp(e))}[
            kind
        ](eta)
        return rng.binomial(1 if trials is None else trials, p)
    if kind == "poisson":
        return rng.poisson(np.exp(eta))
    if kind.startswith("nb"):
        return rng.poisson(np.exp(eta) * rng.gamma(1.5, 1 / 1.5, n))
    if kind.startswith("o"):
        return np.digitize(eta + rng.logistic(size=n), [-1.0, 0.7])
    if kind == "gamma":
        return np.exp(eta) * rng.gamma(2.0, 0.5, n)
    return (np.exp(0.5 * eta) if kind.endswith("log") else eta) + rng.normal(scale=0.8, size=n)


def log_density(kind: str, y: Array, eta: Array, n: Array, own: dict[str, float]) -> Array:
    """The textbooks' densities; y and n of shape (n, 1), eta (n, K)."""
    if kind in ("logit", "probit", "cloglog"):
        choose = special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
        if kind == "logit":
            return choose - y * np.logaddexp(0, -eta) - (n - y) * np.logaddexp(0, eta)
        if kind == "probit":
            return choose + y * special.log_ndtr(eta) + (n - y) * special.log_ndtr(-eta)
        return choose + y * np.log(-np.expm1(-np.exp(eta))) - (n - y) * np.exp(eta)
    if kind == "poisson":
        return y * eta - np.exp(eta) - special.gammaln(y + 1)
    if kind.startswith("nb"):
        mu = np.exp(eta)
        size = (
            mu / np.exp(own["/lndelta"]) if kind.endswith("constant") else np.exp(-own["/lnalpha"]) + 0 * mu
        )
        return stats.nbinom.logpmf(y, size, size / (size + mu))
    if kind.startswith("o"):
        cuts = np.array([-np.inf, own["/cut1"], own["/cut2"], np.inf])
        cdf = {"ologit": special.expit, "oprobit": special.ndtr, "ocloglog": lambda e: -np.expm1(-np.exp(e))}[
            kind
        ]
        k = y.astype(int)
        with np.errstate(divide="ignore"):
            return np.log(cdf(cuts[k + 1] - eta) - cdf(cuts[k] - eta))
    if kind == "gamma":
        shape = np.exp(-2.0 * own["/logs"])
        return stats.gamma.logpdf(y, shape, scale=np.exp(eta) / shape)
    return stats.norm.logpdf(y, np.exp(eta) if kind.endswith("log") else eta, np.sqrt(own["/var(e.y)"]))


def sigma(params: pd.Series, path: str, effects: list[str]) -> Array:
    """The covariance matrix that the parameters' names tell."""
    q = len(effects)
    found = np.zeros((q, q))
    joint = " ".join(effects)
    for i, one in enumerate(effects):
        name = f"/var({one}[{path}])"
        found[i, i] = params[name] if name in params else params[f"/var({joint}[{path}])"]
        for j in range(i):
            for text in (f"/cov({effects[j]}[{path}],{one}[{path}])", f"/cov({joint}[{path}])"):
                if text in params:
                    found[i, j] = found[j, i] = params[text]
    return found


def brute_force(model: Drawn, params: pd.Series) -> float:
    """The log likelihood at these parameters, by summing over the grid."""
    frame, own = model.frame, {str(k): float(v) for k, v in params.items() if str(k).startswith("/")}
    eta = params.get("x", 0.0) * frame.x + params.get("t", 0.0) * frame.t + params.get("_cons", 0.0)
    eta = np.asarray(eta + (frame.o if model.offset else 0.0), dtype=float)
    step = 0.15 if sum(len(e) for _, e in model.levels) < 3 else 0.26
    if model.kind == "gaussian-log":
        step *= 0.5  # the likelihood of a positive mean is narrow
    z = np.arange(-8.4, 8.4 + step / 2, step)
    log_w = stats.norm.logpdf(z) + np.log(step)
    y, n = frame.y.to_numpy(float)[:, None], (frame.n if model.trials else np.ones_like(frame.n))
    trials = np.asarray(n, dtype=float)[:, None]
    weights = [_weights(model, name) for name in ("w", "wh", "wg")]
    shifts, log_ws, path = [], [], ""
    for group, effects in model.levels:
        path = f"{path}>{group}" if path else group
        values, vectors = np.linalg.eigh(sigma(params, path, effects))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        grid = np.stack(np.meshgrid(*[z] * len(effects), indexing="ij")).reshape(len(effects), -1)
        design = np.column_stack([np.ones(len(frame)) if e == "_cons" else frame[e] for e in effects])
        shifts.append(design @ root @ grid)
        log_ws.append(
            np.add.reduce(np.stack(np.meshgrid(*[log_w] * len(effects), indexing="ij"))).reshape(-1)
        )
    total = 0.0
    for top in np.unique(frame.g):
        rows = np.flatnonzero(frame.g == top)
        if len(model.levels) == 1:
            logs = weights[0][rows, None] * log_density(
                model.kind, y[rows], eta[rows, None] + shifts[0][rows], trials[rows], own
            )
            inside = logs.sum(axis=0)
        else:
            inside = np.zeros(len(log_ws[0]))
            for low in np.unique(frame.h[rows]):
                part = rows[frame.h.to_numpy()[rows] == low]
                for k in range(len(inside)):
                    at = (eta[part] + shifts[0][part, k])[:, None] + shifts[1][part]
                    logs = (
                        weights[0][part, None] * log_density(model.kind, y[part], at, trials[part], own)
                    ).sum(axis=0)
                    inside[k] += weights[1][part[0]] * special.logsumexp(logs + log_ws[1])
        total += weights[2][rows[0]] * special.logsumexp(inside + log_ws[0])
    return float(total)


def _weights(model: Drawn, name: str) -> Array:
    levels = [f"w{group}" for group, _ in model.levels]
    if not model.weight or name not in ("w", *levels):
        return np.ones(len(model.frame))
    return model.frame[name].to_numpy(float)
