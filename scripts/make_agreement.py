"""Write docs/agreement.md, published numbers beside ours. Run ``python -m scripts.make_agreement``.

What is compared with lies in tests/reference. Some of the manual's data sets may not be shipped: they are
read from ../shared/data, as by the tests.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scripts.agreement_words import HEAD, MANUAL, OTHERS, R_FILES, REMARKS, STATA, SURVEY
from tests.addresses import address

import memagic
from memagic import datasets
from memagic.results import MEResults

__all__ = ["address", "frame", "manual_section", "page", "r_section", "stata_section"]

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "tests" / "reference"
SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "agreement.md"

DESIGNS = {
    "unstratified": "svyset psu [pw=w]",
    "stratified": "svyset psu [pw=w], strata(stratum)",
    "corrected": "svyset psu [pw=w], strata(stratum) fpc(fpc)",
}


def read(name: str) -> Any:
    """A file of reference values."""
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


@cache
def frame(name: str) -> pd.DataFrame:
    """A data set of the package, of tests/reference/data or of ../shared/data, prepared."""
    if name in datasets.names():
        found = datasets.load(name)
        return found.assign(attain_gt_6=(found["attain"] > 6).astype("int8")) if "attain" in found else found
    local = REFERENCE / "data" / f"{name}.csv"
    found = pd.read_csv(local if local.is_file() else SHARED / f"{name}.csv")
    if name != "pisa2000":
        return found
    schools = found.groupby("id_school")
    squares = (found["w_fstuwt"] ** 2).groupby(found["id_school"]).transform("sum")
    # Variables that the manual generates have the storage type float.
    scaled = (found["w_fstuwt"] * schools["w_fstuwt"].transform("sum") / squares).astype("float32")
    mean = schools["isei"].transform("mean").astype("float32")
    return found.assign(pst1s1=scaled.astype(float), mn_isei=mean.astype(float))


def fitted(command: str, data: str) -> MEResults:
    """The result of a command; under svy the design is that of the manual's example."""
    session = memagic.Session(frame(data))
    if command.startswith("svy:"):
        session.run("svyset id_school, weight(wnrschbw) || _n, weight(pst1s1)")
    result = session.run(command)
    assert isinstance(result, MEResults)
    assert result.converged, command
    return result


def page() -> str:
    """The page in Markdown."""
    versions = f"numpy {np.__version__}, pandas {pd.__version__}, Python {_python()}"
    parts = [HEAD.format(versions=versions), *manual_section(), *stata_section()]
    for file in R_FILES:
        parts += r_section(file)
    parts += [*_effects_section(), *_survey_section(), OTHERS]
    return "\n".join(parts).rstrip() + "\n"


def _python() -> str:
    import platform

    return platform.python_version()


# --- the manual -----------------------------------------------------------------------------------


def manual_section() -> Iterator[str]:
    """Every example of the manual whose data are to be had: a table of tests, and one of parameters."""
    yield MANUAL
    for example in read("manual_examples")["examples"]:
        if example["data"] is None:
            continue
        result = fitted(example["command"], example["data"])
        yield f"### {example['id']}: {example['title']}\n"
        yield f"`{example['command']}`\n"
        if example["id"] in REMARKS:
            yield f"{REMARKS[example['id']]}\n"
        yield from _whole(example, result)
        yield from _rows(example, result)
        if "lrtest" in example:
            yield from _nested_tests(example)


# The models that the manual stores under these names before its tests.
STORED = {
    "r_int": "melogit c_use i.urban age i.children || district:",
    "r_urban": "melogit c_use i.urban age i.children || district: i.urban",
    "r_urban_corr": "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)",
}


def _nested_tests(example: dict[str, Any]) -> Iterator[str]:
    """Likelihood-ratio tests of stored estimates."""
    yield "| likelihood-ratio test | chi2 | here | p | here |"
    yield "|---|---:|---:|---:|---:|"
    for test in example["lrtest"]:
        first, second = (fitted(STORED[name], example["data"]) for name in test["of"])
        ours = first.lrtest(second).r
        yield (
            f"| {' and '.join(test['of'])} | {test['chi2']:.2f} | {ours['chi2']:.2f} "
            f"| {test['p']:.4f} | {ours['p']:.4f} |"
        )
    yield ""


def _whole(example: dict[str, Any], result: MEResults) -> Iterator[str]:
    """What is printed besides the table of parameters."""
    e = result.e
    lr = example.get("lr") or {}
    start = _at_the_start(result) if "grid_ll" in example else float("nan")
    pairs: list[tuple[str, float | None, float, str]] = [
        ("log likelihood", example.get("ll"), result.llf, ".8g"),
        ("without random effects", example.get("fixed_ll"), e.get("ll_c", float("nan")), ".8g"),
        ("at the start (grid node 0)", (example.get("grid_ll") or {}).get("0"), start, ".8g"),
        ("LR test, chi2", lr.get("chi2"), e.get("chi2_c", float("nan")), ".2f"),
        ("LR test, p", _number(lr.get("p")), e.get("p_c", float("nan")), ".4f"),
        ("Wald chi2", example.get("chi2"), e.get("chi2", float("nan")), ".2f"),
        ("F", example.get("F"), e.get("F", float("nan")), ".2f"),
        ("degrees of freedom", example.get("df_m"), e["df_m"], "d"),
        ("p", _number(example.get("p")), e["p"], ".4f"),
        ("observations", example.get("N"), e["N"], ",d"),
        ("strata", example.get("n_strata"), e.get("N_strata", 0), "d"),
        ("sampling units", example.get("n_psu"), e.get("N_psu", 0), "d"),
        ("size of the population", example.get("N_pop"), e.get("N_pop", float("nan")), ",.2f"),
        ("design degrees of freedom", example.get("design_df"), e.get("df_r", 0), "d"),
    ]
    for k, group in enumerate(example.get("groups", ())):
        for word, name, digits in (("n", "N_g", ",.0f"), ("min", "g_min", ",.0f"), ("avg", "g_avg", ",.1f")):
            pairs.append((f"{group['name']}: {word}", group[word], float(e[name][0, k]), digits))
        pairs.append((f"{group['name']}: max", group["max"], float(e["g_max"][0, k]), ",.0f"))
    yield "| | printed | here |"
    yield "|---|---:|---:|"
    for name, printed, ours, digits in pairs:
        if printed is not None:
            yield f"| {name} | {printed:{digits}} | {ours:{digits}} |"
    yield ""


def _number(printed: str | None) -> float | None:
    return None if printed is None else float(printed)


def _at_the_start(result: MEResults) -> float:
    """The log likelihood at grid node 0, by the iteration log."""
    found = re.search(r"Grid node 0:.*= +(\S+)", result.to_text(log=True))
    assert found is not None
    return float(found[1])


def _rows(example: dict[str, Any], result: MEResults) -> Iterator[str]:
    heads = [f"{head} | here" for head in ("estimate", "std. err.", "z", "lower", "upper")]
    yield f"| parameter | {' | '.join(heads)} | difference |"
    yield "|---|" + "---:|" * 11
    for row in example["rows"]:
        column = result.table[address(row["name"])]
        cells, off = [], 0.0
        for theirs, ours in (("b", "b"), ("se", "se"), ("z", "z"), ("lo", "ll"), ("hi", "ul")):
            printed = row.get(theirs)
            if printed is None:
                cells += ["", ""]
                continue
            cells += [_as_printed(value, theirs == "z") for value in (printed, float(column[ours]))]
            if theirs != "z":
                off = max(off, abs(column[ours] - printed) / abs(printed))
        yield f"| `{address(row['name'])}` | {' | '.join(cells)} | {_small(off)} |"
    yield ""


def _as_printed(value: float, ratio: bool) -> str:
    """With the digits of the manual's table: two decimals, or seven digits of which no more are decimals."""
    if ratio:
        return f"{value:.2f}"
    return f"{value:.7f}".rstrip("0").rstrip(".") if abs(value) < 1.0 else f"{value:.7g}"


def _small(value: float) -> str:
    """A difference, to one digit."""
    return "0" if value == 0.0 else f"{value:.0e}"


# --- Stata 18 -------------------------------------------------------------------------------------


def stata_section() -> Iterator[str]:
    """Sixteen digits."""
    yield STATA
    yield "| command | | Stata 18 | here | difference |"
    yield "|---|---|---:|---:|---:|"
    for model in read("stata")["models"]:
        result = fitted(model["command"], model["data"])
        rows = [("log likelihood", model["ll"], result.llf)]
        for name in model["params"]:
            rows.append((f"`{name}`", model["params"][name], float(result.params[name])))
            rows.append((f"`{name}`, std. err.", model["se"][name], float(result.bse[name])))
        command = "`" + model["command"].replace("|", "\\|") + "`"
        for name, printed, ours in rows:
            yield f"| {command} | {name} | {printed:.14g} | {ours:.10g} | {_small(abs(ours - printed))} |"
            command = ""
    yield ""


# --- R --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """A model of R's beside ours: rows of (name, theirs, ours, their and our standard error)."""

    model: dict[str, Any]
    ll: float
    rows: tuple[tuple[str, float, float, float, float], ...]

    @property
    def in_errors(self) -> float:
        """The largest difference of an estimate, in its standard errors."""
        return max(abs(ours - theirs) / se for _, theirs, ours, se, _ in self.rows)

    @property
    def of_errors(self) -> float:
        """The largest relative difference of a standard error."""
        return max(abs(ours / theirs - 1.0) for *_, theirs, ours in self.rows)


def compared(model: dict[str, Any]) -> Compared:
    """Fit a model that R has fitted."""
    result = fitted(model["command"], model["data"])
    # A variance that several effects share has all their names here, and the first one's in the file.
    rows = tuple(
        (name, b, float(result.params.iloc[k]), model["se"][name], float(result.bse.iloc[k]))
        for k, (name, b) in enumerate(model["params"].items())
    )
    return Compared(model, result.llf, rows)


def r_section(file: str) -> Iterator[str]:
    """A file's models: one table of all, one of their parameters."""
    title, words = R_FILES[file]
    content = read(file)
    software = content["software"]
    if isinstance(software, dict):
        software = ", ".join(f"{name} {version}" for name, version in software.items())
    models = [compared(model) for model in content["models"]]
    yield f"## {title}\n"
    yield f"{words} {software}; made by [{content['made_by']}](../{content['made_by']}).\n"
    yield "| model | command | log likelihood | here | estimates | std. errs. |"
    yield "|---|---|---:|---:|---:|---:|"
    for one in models:
        command = one.model["command"].replace("|", "\\|")
        yield (
            f"| {one.model['id']} | `{command}` | {one.model['ll']:.9g} | {one.ll:.9g} "
            f"| {_small(one.in_errors)} | {_small(one.of_errors)} |"
        )
    yield "\n| model | parameter | estimate | here | std. err. | here |"
    yield "|---|---|---:|---:|---:|---:|"
    for one in models:
        for k, (name, theirs, ours, se, our_se) in enumerate(one.rows):
            head = one.model["id"] if k == 0 else ""
            yield f"| {head} | `{name}` | {theirs:.6g} | {_six(ours)} | {se:.6g} | {_six(our_se)} |"
    yield ""


def _six(value: float) -> str:
    """To six digits; rounding of zero is zero."""
    return f"{0.0 if math.isclose(value, 0.0, abs_tol=1e-12) else value:.6g}"


def _effects_section() -> Iterator[str]:
    yield "## Random effects by lme4 and ordinal\n"
    yield (
        "Posterior modes and their standard deviations, group by group. The largest differences: of the modes"
        " in standard deviations over the groups, of the standard deviations relative.\n"
    )
    yield "| model | command | groups | modes | std. devs. |"
    yield "|---|---|---:|---:|---:|"
    for model in read("effects")["models"]:
        data = pd.read_csv(REFERENCE / "data" / f"{model['data']}.csv").rename(columns=str.lower)
        modes = memagic.run(model["command"], data=data).empirical_bayes("ebmodes")
        n, off, off_se = 0, 0.0, 0.0
        for level in model["levels"]:
            found = modes.level(level["level"])
            ours = {str(value): k for k, value in enumerate(found.keys[-1][1])}
            at = np.ix_(
                [ours[g] for g in level["groups"]], [found.effects.index(e) for e in level["effects"]]
            )
            spread = np.std(found.value[at], axis=0)
            n += len(level["groups"])
            off = max(off, float((np.abs(found.value[at] - level["value"]) / spread).max()))
            off_se = max(off_se, float(np.abs(found.se[at] / np.array(level["se"]) - 1.0).max()))
        command = model["command"].replace("|", "\\|")
        yield f"| {model['id']} | `{command}` | {n} | {_small(off)} | {_small(off_se)} |"
    yield ""


def _survey_section() -> Iterator[str]:
    yield SURVEY
    yield "| design | sample | command | | estimate | here | std. err. | here |"
    yield "|---|---|---|---|---:|---:|---:|---:|"
    for values in read("survey"):
        command = "melogit y x" if values["depvar"] == "y" else "mepoisson k x"
        session = memagic.Session(frame("survey"))
        session.run(DESIGNS[values["design"]])
        result = session.run(("svy, subpop(inside): " if values["subpopulation"] else "svy: ") + command)
        assert isinstance(result, MEResults)
        sample = "part" if values["subpopulation"] else "all"
        head = f"| {values['design']} | {sample} | `{command}` "
        for name, b, ours, se, our_se in zip(
            result.params.index, values["b"], result.params, values["se"], result.bse, strict=True
        ):
            yield f"{head}| `{name}` | {b:.9g} | {ours:.9g} | {se:.9g} | {our_se:.9g} |"
            head = "| | | "
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
