"""Random models against brute force, and under changes that should change nothing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scripts.reliability.brute_force import Drawn, brute_force, draw

import memagic
from memagic.errors import CommandError
from memagic.results import MEResults


@dataclass
class Errors:
    """Largest differences, and what went beyond its bound."""

    models: int = 0
    refused: list[str] = field(default_factory=list)
    not_converged: int = 0
    boundary: int = 0
    inside: int = 0
    likelihood: list[float] = field(default_factory=list)
    elsewhere: list[float] = field(default_factory=list)
    gradient: list[float] = field(default_factory=list)
    invariance: dict[str, list[float]] = field(default_factory=dict)
    beyond: list[str] = field(default_factory=list)

    def note(self, what: str, found: list[float], value: float, bound: float, text: str) -> None:
        found.append(value)
        if not value <= bound:
            self.beyond.append(f"{what} {value:.2g}: {text}")


def _at(model: Drawn, params: pd.Series, options: str) -> float:
    text = model.command(f"{options} from(b) noestimate")
    return memagic.run(text, data=model.frame, matrices={"b": params}).llf


def check(model: Drawn, rng: np.random.Generator, errors: Errors) -> None:
    """One model: at its estimates, at other parameters, and under changes that should change nothing."""
    effects = sum(len(e) for _, e in model.levels)
    points = f"intpoints({ {1: 40, 2: 25, 3: 15}[effects] })"
    text = model.command(points)
    errors.models += 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit = memagic.run(text, data=model.frame)
    except CommandError as error:
        errors.refused.append(f"{text}: {error.message}")
        return
    params = fit.params
    scale = 1.0 + abs(fit.llf)
    if fit.converged and _inside(params):
        errors.inside += 1
        errors.note(
            "log likelihood", errors.likelihood, abs(brute_force(model, params) - fit.llf) / scale, 1e-5, text
        )
        if effects < 3:
            errors.note("gradient", errors.gradient, _gradient(model, fit), 2e-3, text)
        _invariances(model, fit, points, rng, errors)
    elif fit.converged:
        errors.boundary += 1
    else:
        errors.not_converged += 1
    moved = _moved(params, rng)
    if moved is not None:
        there = abs(brute_force(model, moved) - _at(model, moved, points)) / scale
        errors.note("elsewhere", errors.elsewhere, there, 1e-5, f"{text} at {moved.round(3).to_dict()}")


def _inside(params: pd.Series) -> bool:
    """Whether the estimates are inside of their range, and variances not beyond what few points integrate."""
    for name, value in params.items():
        text = str(name)
        if text.startswith("/var(") and "(e." not in text and not 1e-3 < value < 6.0:
            return False
        if text.startswith("/ln") and value < -12.0:
            return False
        if text.startswith("/cov("):
            # "x[g],_cons[g]", or "x _cons[g]" where the effects have one covariance.
            variances = [params[f"/var({one})"] for one in text[5:-1].split(",")]
            if abs(value) > 0.98 * np.sqrt(variances[0] * variances[-1]):
                return False
    return True


def _moved(params: pd.Series, rng: np.random.Generator) -> pd.Series | None:
    """Other parameters, with covariances that have a Cholesky factor."""
    moved = params.copy()
    for name in params.index:
        if name.startswith("/var("):
            moved[name] = rng.uniform(0.1, 0.9)
        elif not name.startswith(("/cov", "/ln", "/logs", "/cut")):
            moved[name] = params[name] + rng.normal(scale=0.3)
        elif name.startswith(("/ln", "/logs")):
            moved[name] = rng.uniform(-1.0, 0.5)
    for name in params.index:
        if name.startswith("/cov("):
            variances = [
                v for other, v in moved.items() if str(other).startswith("/var(") and "(e." not in str(other)
            ]
            moved[name] = rng.uniform(-0.6, 0.6) * min(variances)
    return moved


def _gradient(model: Drawn, fit: MEResults) -> float:
    """The largest derivative times its standard error, of the sum over the grid at the estimates."""
    worst = 0.0
    for name, se in fit.bse.items():
        if not (np.isfinite(se) and se > 0.0) or (str(name).startswith("/var") and fit.params[name] < 1e-3):
            continue
        step = 1e-3 * float(se)
        up, down = fit.params.copy(), fit.params.copy()
        up[name] += step
        down[name] -= step
        worst = max(worst, abs(brute_force(model, up) - brute_force(model, down)) / (2e-3))
    return worst


def _invariances(model: Drawn, fit: MEResults, points: str, rng: np.random.Generator, errors: Errors) -> None:
    text, frame = model.command(points), model.frame
    order = rng.permutation(len(frame))
    names = rng.permutation(10 * (1 + int(frame.h.max())))
    changes = {
        "rows shuffled": frame.iloc[order],
        "groups relabelled": frame.assign(g=names[frame.g], h=names[frame.h]),
        "groups as text": frame.assign(g="g" + frame.g.astype(str), h="h" + frame.h.astype(str)),
    }
    for what, changed in changes.items():
        again = memagic.run(text, data=changed)
        _same(errors, what, fit.params, fit.bse, again.params, again.bse, again.llf - fit.llf, text)
    scaled = memagic.run(text, data=frame.assign(x=frame.x * 64.0))
    if model.covariance not in ("identity", "exchangeable") or all(len(e) == 1 for _, e in model.levels):
        factor = np.array([_power(str(name)) for name in fit.params.index])
        _same(
            errors,
            "x times 64",
            fit.params,
            fit.bse,
            scaled.params * factor,
            scaled.bse * factor,
            scaled.llf - fit.llf,
            text,
        )
    if model.weight == "fw":
        lowest = frame.loc[frame.index.repeat(frame.w)]
        levels = {f"w{group}" for group, _ in model.levels}
        if not {"wg", "wh"} & levels or (frame[sorted(levels)] == 1).all(axis=None):
            again = memagic.run(model.command(points, ""), data=lowest)
            _same(
                errors,
                "duplicated rows",
                fit.params,
                fit.bse,
                again.params,
                again.bse,
                again.llf - fit.llf,
                text,
            )


def _power(name: str) -> float:
    """What a parameter is multiplied by where x is 64 times smaller."""
    if name == "x" or (name.startswith("/cov(x")):
        return 64.0
    return 64.0**2 if name.startswith("/var(x") else 1.0


def _same(errors: Errors, what: str, b: Any, se: Any, b2: Any, se2: Any, change: float, text: str) -> None:
    """Estimates are the same if they differ by little of a standard error."""
    # A variance of zero is any small number.
    zero = b.index.str.startswith("/var") & (b.to_numpy() < 1e-6)
    known = np.isfinite(se.to_numpy()) & (se.to_numpy() > 0) & ~zero
    moved = np.abs(b2.to_numpy() - b.to_numpy())[known] / se.to_numpy()[known]
    ratio = np.abs(se2.to_numpy()[known] / se.to_numpy()[known] - 1.0)
    worst = float(max(moved.max(initial=0.0), ratio.max(initial=0.0), abs(change)))
    errors.note(what, errors.invariance.setdefault(what, []), worst, 1e-4, text)


def survey(count: int, seed: int) -> str:
    """Models drawn from the seed, in words."""
    errors = Errors()
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        model = draw(rng)
        if k % 4 == 0:
            model.frame[["wg", "wh"]] = 1
        before = len(errors.beyond)
        try:
            check(model, rng, errors)
        except Exception as error:
            errors.beyond.append(f"{type(error).__name__} {str(error)[:200]}: {model.command()}")
        errors.beyond[before:] = [f"model {k}: {line}" for line in errors.beyond[before:]]
    return report(errors)


def report(errors: Errors) -> str:
    """The differences in words: medians and largest."""
    lines = [
        f"{errors.models} models, {len(errors.refused)} refused, {errors.not_converged} not converged, "
        f"{errors.boundary} at the end of a range, {errors.inside} inside"
    ]
    found = {
        "log likelihood": errors.likelihood,
        "elsewhere": errors.elsewhere,
        "gradient": errors.gradient,
        **errors.invariance,
    }
    for what, values in found.items():
        if values:
            lines.append(
                f"{what:20} {len(values):4} median {np.median(values):.1e} largest {max(values):.1e}"
            )
    return "\n".join([*lines, *errors.beyond, *errors.refused])
