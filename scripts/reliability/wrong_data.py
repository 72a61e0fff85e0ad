"""Wrong data: commands on frames with every kind of defect, before a fit and after one."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scripts.reliability.attempts import Findings, attempt
from scripts.reliability.situations import frame

from memagic import Session

MODELS = (
    "melogit y x || g:",
    "melogit y i.h c.x#i.urban || g: x, covariance(unstructured)",
    "meprobit y x || school: || g:",
    "mecloglog y x i.kind || g:",
    "meologit children x i.h || g:",
    "mepoisson attain x || g:, irr",
    "menbreg attain x || g:",
    "menbreg attain x, dispersion(constant) || g:",
    "meglm x i.urban || g:",
    "meglm w x, family(gamma) || g:",
    "meglm x urban || g: urban, covariance(unstructured)",
    "melogit y x || _all: R.g || school:",
    "melogit y x if x > 0 in 1/100 || g:",
    "melogit y x [pweight=w] || g:",
    "melogit y x [fweight=h] || g:, fweight(w)",
    "melogit y x, vce(robust) || g:",
    "melogit y x, offset(w) || g:, intmethod(laplace)",
    "mepoisson attain x, exposure(w) || g:",
    "melogit attain x, binomial(9) || g:",
    "melogit y x",
    "by urban: melogit y x || g:",
    "use nowhere",
)
AFTER = (
    "predict p",
    "predict p, xb",
    "predict u, reffects reses(s)",
    "predict pm, marginal",
    "predict r, pearson",
    "estat icc",
    "estat group",
    "estat summarize",
    "estat sd",
    "margins",
    "margins, dydx(*)",
    "margins urban",
    "margins, at(x=(0 1))",
    "margins, over(h)",
    "lrtest, mixture",
    "test x",
    "quadchk 3 5",
    "estimates table .",
    "melogit",
    "estat vce",
    "margins, atmeans",
    "nlcom _b[x]^2",
    "predict s*, scores",
)

Change = Callable[[pd.DataFrame], Any]


def _with(name: str, value: Any) -> Change:
    return lambda df: df.assign(**{name: value(df) if callable(value) else value})


def _poked(name: str, value: Any, rows: Any = slice(3, 5)) -> Change:
    def poke(df: pd.DataFrame) -> pd.DataFrame:
        column = df[name].astype(object if isinstance(value, str) else "float64")
        column.iloc[rows] = value
        return df.assign(**{name: column})

    return poke


def _polars(df: pd.DataFrame) -> Any:
    import polars

    return polars.from_pandas(df.drop(columns="when"))


def _arrow(df: pd.DataFrame) -> Any:
    import pyarrow

    return pyarrow.Table.from_pandas(df)


def _nullable(df: pd.DataFrame) -> pd.DataFrame:
    df = df.convert_dtypes()
    df.loc[4:9, ["y", "x", "h", "flag", "attain"]] = pd.NA
    return df


def _set_index(df: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return df.set_index(columns, drop=False)


CHANGES: dict[str, Change] = {
    "as it is": lambda df: df,
    "no rows": lambda df: df.iloc[:0],
    "one row": lambda df: df.iloc[:1],
    "two rows": lambda df: df.iloc[:2],
    "no columns": lambda df: df[[]],
    "all y missing": _with("y", np.nan),
    "all x missing": _with("x", np.nan),
    "all groups missing": _with("g", np.nan),
    "all weights missing": _with("w", np.nan),
    "everything missing": lambda df: df.select_dtypes("number") * np.nan,
    "y constant 0": lambda df: df.assign(y=0, attain=0, children=0),
    "y constant 1": lambda df: df.assign(y=1, attain=1, children=1),
    "y = 2": _poked("y", 2),
    "y = .5": _poked("y", 0.5),
    "y negative": lambda df: df.assign(y=-df.y, attain=-df.attain, w=-df.w),
    "y infinite": lambda df: _poked("y", np.inf)(_poked("attain", np.inf)(df)),
    "x infinite": _poked("x", np.inf),
    "x minus infinite": _poked("x", -np.inf),
    "x huge": _with("x", lambda df: df.x * 1e200),
    "x 1e308": _poked("x", 1e308),
    "x 1e8": _with("x", lambda df: df.x * 1e8),
    "x tiny": _with("x", lambda df: df.x * 1e-200),
    "x constant": _with("x", 1.0),
    "x zero": _with("x", 0.0),
    "x separates": _with("x", lambda df: df.y * 2.0 - 1.0),
    "x the same as group": _with("x", lambda df: df.g.astype(float)),
    "x strings": _with("x", lambda df: df.text),
    "x numbers as strings": _with("x", lambda df: df.x.astype(str)),
    "y strings": _with("y", lambda df: df.text),
    "y numbers as strings": _with("y", lambda df: df.y.astype(str)),
    "group strings": _with("g", lambda df: "g" + df.g.astype(str)),
    "group floats": _with("g", lambda df: df.g + 0.25),
    "group mixed objects": _with(
        "g", lambda df: pd.Series([1, "a", None, 2.5] * (len(df) // 4), dtype=object)
    ),
    "group lists": _with("g", lambda df: pd.Series([[1]] * len(df), dtype=object)),
    "group dates": _with("g", lambda df: df.when.dt.floor("30D")),
    "group huge ints": _with("g", lambda df: df.g.astype("int64") + 2**62),
    "group uint64": _with("g", lambda df: df.g.astype("uint64") + np.uint64(2**63)),
    "group python ints": _with("g", lambda df: pd.Series([10**30 + int(v) for v in df.g], dtype=object)),
    "group infinite": _poked("g", np.inf),
    "group negative": _with("g", lambda df: -df.g),
    "group boolean": _with("g", lambda df: df.flag),
    "one group": _with("g", 7),
    "a group a row": _with("g", lambda df: np.arange(len(df))),
    "one group of one": _with("g", lambda df: np.minimum(np.arange(len(df)), 1)),
    "classes over schools": _with("school", lambda df: df.g % 3),
    "group missing in part": _poked("g", np.nan),
    "outcome with gaps": _with("children", lambda df: df.children * 1000 - 7),
    "outcome not whole": _with("children", lambda df: df.children + 0.5),
    "outcome of 200 values": _with("children", lambda df: np.arange(len(df)) % 200),
    "counts huge": _with("attain", lambda df: df.attain * 10**12),
    "counts not whole": _with("attain", lambda df: df.attain + 0.5),
    "weights negative": _with("w", lambda df: -df.w),
    "a weight negative": _poked("w", -1.0),
    "weights zero": _with("w", 0.0),
    "weights infinite": _poked("w", np.inf),
    "weights huge": _with("w", 1e300),
    "weights strings": _with("w", lambda df: df.text),
    "frequency weights whole": _with("w", lambda df: df.g % 3 + 1),
    "factor negative": _with("h", lambda df: df.h - 1),
    "factor not whole": _with("h", lambda df: df.h + 0.5),
    "factor huge": _with("h", lambda df: df.h.astype("int64") + 2**53),
    "factor text": _with("h", lambda df: df.text),
    "factor of one value": _with("h", 1),
    "factor a row": _with("h", lambda df: np.arange(len(df))),
    "categories empty": _with("kind", lambda df: df.kind.cat.remove_categories(["low", "mid", "high"])),
    "categories unused": _with("kind", lambda df: df.kind.cat.add_categories(["never"])),
    "categories ordered": _with("kind", lambda df: df.kind.cat.as_ordered()),
    "categories of floats": _with("kind", lambda df: pd.Categorical(df.h + 0.5)),
    "y categorical": _with("y", lambda df: pd.Categorical.from_codes(df.y.tolist(), ["no", "yes"])),
    "y boolean": _with("y", lambda df: df.y == 1),
    "y datetime": _with("y", lambda df: df.when),
    "x datetime": _with("x", lambda df: df.when),
    "x timedelta": _with("x", lambda df: df.when - df.when.min()),
    "x complex": _with("x", lambda df: df.x + 1j),
    "x decimal objects": _with("x", lambda df: pd.Series([__import__("decimal").Decimal("1.5")] * len(df))),
    "x dates as objects": _with(
        "x", lambda df: pd.Series([datetime.date(2020, 1, 1)] * len(df), dtype=object)
    ),
    "x half precision": _with("x", lambda df: df.x.astype("float16")),
    "x single precision": _with("x", lambda df: df.x.astype("float32")),
    "x sparse": _with("x", lambda df: df.x.astype("Sparse[float64]")),
    "x period": _with("x", lambda df: df.when.dt.to_period("M")),
    "x interval": _with("x", lambda df: pd.cut(df.x, 3)),
    "x python ints": _with("x", lambda df: pd.Series([10**400] * len(df), dtype=object)),
    "x none": _with("x", lambda df: pd.Series([None] * len(df), dtype=object)),
    "nullable": _nullable,
    "arrow-backed": lambda df: df.convert_dtypes(dtype_backend="pyarrow"),
    "polars": _polars,
    "arrow table": _arrow,
    "two columns x": lambda df: pd.concat([df, df[["x"]]], axis=1),
    "two columns y": lambda df: pd.concat([df, df[["y"]]], axis=1),
    "two columns g": lambda df: pd.concat([df, df[["g"]]], axis=1),
    "two columns of no use": lambda df: pd.concat([df, df[["empty"]]], axis=1),
    "rows under two levels": lambda df: _set_index(df, ["g", "year"]),
    "columns under two levels": lambda df: pd.concat({"a": df}, axis=1),
    "row labels twice": lambda df: df.set_axis(np.zeros(len(df), dtype=int)),
    "row labels missing": lambda df: df.set_axis(np.where(df.index < 5, np.nan, df.index)),
    "row labels dates": lambda df: df.set_index("when"),
    "rows shuffled": lambda df: df.sample(frac=1.0, random_state=1),
    "names numbers": lambda df: df.set_axis(range(df.shape[1]), axis=1),
    "names mixed": lambda df: df.rename(columns={"text": 3, "flag": None, "when": ("a", 1)}),
    "more columns than rows": lambda df: df.iloc[:6],
    "collinear": _with("urban", lambda df: df.x * 2 + 1),
    "read only": lambda df: _read_only(df),
}


def _read_only(df: pd.DataFrame) -> pd.DataFrame:
    values = df[["y", "x", "g", "urban"]].to_numpy(dtype=float)
    values.flags.writeable = False
    return pd.DataFrame(values, columns=["y", "x", "g", "urban"], copy=False)


def before_a_fit(found: Findings) -> None:
    """Every model on every frame, the frame in use or given with the command."""
    for name, change in CHANGES.items():
        data = change(frame())
        try:
            session = Session(data)
        except Exception as error:
            if type(error).__name__ != "CommandError":
                found.faults.setdefault(f"use: {error!r}"[:150], []).append(name)
            continue
        for text in MODELS:
            attempt(session, text, found, name)
        attempt(Session(), MODELS[0], found, f"{name}, data=", data)


def after_a_fit(found: Findings) -> None:
    """A fit on the frame as it was, then commands on the frame as it is now, or without one."""
    fits = ("melogit y x i.urban || g: x", "meologit children x i.urban || g:", "meglm x i.urban || g:")
    for fit in fits:
        for name, change in {**CHANGES, "without data": lambda _: None}.items():
            session = Session(frame())
            session.run(fit)
            data = change(frame())
            try:
                if data is None:
                    session._data = session._source = None
                else:
                    session.use(data)
            except Exception:
                continue
            for text in AFTER:
                attempt(session, text, found, f"{fit}; then {name}")


def survey() -> Findings:
    """Both, in one."""
    found = Findings()
    before_a_fit(found)
    after_a_fit(found)
    return found
