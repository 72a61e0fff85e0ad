"""Wrong turns: every command of the help, notebooks and documentation, damaged in one place or two.

A damaged command has to end in a result or in a `CommandError` that leaves the session as it was.
"""

from __future__ import annotations

import copy
import io
import re
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import numpy as np
import pandas as pd

from memagic import Session
from memagic.errors import CommandError
from memagic.magics.examples import EXAMPLES
from memagic.magics.topics import TOPICS
from memagic.spec.options import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30
WARNINGS: Literal["error", "ignore"] = "error"

_COMMAND = re.compile(r"^%([a-z]\w*.*)$", re.MULTILINE)
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|\|\||==|[^\w\s]|\s+")
_SKIPPED = {"load_ext", "help", "config", "me", "unload_ext", "matplotlib", "pip", "env", "timeit", "time"}

OPTIONS = (
    "or irr eform level(90) level(0) level(abc) intpoints(0) intpoints(1) intpoints(1e9) intpoints(-3) "
    "intmethod(laplace) intmethod(x) iterate(0) iterate(1) tolerance(0) tolerance(-1) noconstant offset(y) "
    "exposure(x) binomial(3) binomial(x) covariance(un) covariance(fixed(A)) family(gamma) family(binomial 0) "
    "link(log) link(identity) vce(robust) vce(cluster g) vce(cluster nobody) constraints(1) constraints(9) "
    "from(b) from(x=1) from(x=.) startgrid startgrid(0) startvalues(zero) startvalues(iv) noestimate "
    "technique(bhhh 1 nr 1) technique(x) mixture bootstrap(3) bootstrap(0) seed(1) seed(-1) marginal reffects "
    "reses(s) reses(y) dydx(*) dydx(nobody) at(x=1) at(x=) at((mean) x) atmeans post over(h) over(x) "
    "expression(1/0) expression(xb()) predict(mu) predict(pr outcome(9)) pwcompare mcompare(sidak) mcompare(x) "
    "accumulate mtest df(0) df(1) effects replace se stats(ll N zz) star b(%9.3f) pweight(w) fweight(w) "
    "collinear asis nofvlabel baselevels coeflegend dnumerical difficult notable noheader nolog nolrtest"
).split(" ")
NUMBERS = ("0", "-1", ".", "1e308", "1e-320", "99999999999999999999", "nan", ".5", "2.5")
WORDS = (
    "nobody",
    "_all",
    "_cons",
    "text",
    "when",
    "flag",
    "kind",
    "empty",
    "y",
    "x",
    "g",
    "_b[x]",
    "i.x",
    "L.x",
    "",
)
MARKS = (
    ",",
    "||",
    ":",
    "(",
    ")",
    "[",
    "]",
    "#",
    "##",
    "=",
    '"',
    "'",
    "`",
    "é",
    "\u200b",
    "\n",
    "//",
    "\\",
    "*",
    "-",
)


def commands() -> list[str]:
    """Commands of the examples, the syntax tables, the notebooks and the pages."""
    texts = [cell for topic in EXAMPLES.values() for one in topic for cell in one.cells]
    texts += [syntax for topic in TOPICS.values() for syntax, _ in topic.syntax]
    texts += [
        p.read_text().replace('\\"', '"').replace("\\n", "\n").replace('"%', "\n%")
        for p in sorted((ROOT / "notebooks").glob("*.ipynb"))
    ]
    texts += [p.read_text() for p in sorted((ROOT / "docs").glob("*.md"))]
    found: dict[str, None] = {}
    for text in texts:
        for match in _COMMAND.finditer(text):
            line = re.sub(r'["\\,]+$', "", match[1]).strip()
            if re.split(r"\W", line)[0] not in _SKIPPED:
                found.setdefault(line)
    return list(found)


def damaged(text: str, rng: np.random.Generator) -> str:
    """The text with one slip, or two."""
    for _ in range(1 + int(rng.random() < 0.3)):
        text = _slip(text, rng)
    return text


def _slip(text: str, rng: np.random.Generator) -> str:
    tokens = [token for token in _TOKEN.findall(text) if token] or [" "]
    k = int(rng.integers(len(tokens)))
    kind = int(rng.integers(12))
    pick = lambda values: str(values[int(rng.integers(len(values)))])  # noqa: E731
    if kind == 0:
        del tokens[k]
    elif kind == 1:
        tokens.insert(k, tokens[k])
    elif kind == 2 and len(tokens) > 1:
        j = int(rng.integers(len(tokens)))
        tokens[k], tokens[j] = tokens[j], tokens[k]
    elif kind == 3:
        tokens[k] = _misspelt(tokens[k], rng)
    elif kind == 4:
        tokens = tokens[:k]
    elif kind == 5:
        tokens.append((" " if "," in tokens else ", ") + pick(OPTIONS))
    elif kind == 6:
        tokens.insert(k, pick(MARKS))
    elif kind == 7:
        tokens[k] = pick(WORDS)
    elif kind == 8:
        tokens = [pick(NUMBERS) if t[:1].isdigit() and rng.random() < 0.5 else t for t in tokens]
    elif kind == 9:
        marks = [i for i, t in enumerate(tokens) if t in (*",:()[]#=", "||")]
        if marks:
            del tokens[marks[int(rng.integers(len(marks)))]]
    elif kind == 10:
        words = [i for i, t in enumerate(tokens) if i and t[:1].isalpha()]
        if words:
            tokens[words[int(rng.integers(len(words)))]] = pick(WORDS)
    else:
        tokens[k] += " " + pick(WORDS)
    return "".join(tokens)


def _misspelt(word: str, rng: np.random.Generator) -> str:
    i = int(rng.integers(max(len(word), 1)))
    return (word[:i] + word[i + 1 :], word[:i] + "q" + word[i:], word.upper())[int(rng.integers(3))]


def frame(rows: int = 240) -> pd.DataFrame:
    """Data with variables of every kind, under the names of the examples."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(rows // 8), 8)
    x, u = rng.normal(size=rows), rng.normal(size=rows // 8)
    return pd.DataFrame(
        {
            "y": (rng.random(rows) < 1 / (1 + np.exp(-x - u[g]))).astype(int),
            "c_use": (rng.random(rows) < 1 / (1 + np.exp(-x - u[g]))).astype(int),
            "x": x, "age": x * 3, "vrq": x, "g": g, "district": g, "sid": g, "firm": g, "school": g // 5,
            "h": rng.integers(0, 3, rows), "urban": rng.integers(0, 2, rows), "sex": rng.integers(0, 2, rows),
            "children": rng.integers(0, 4, rows), "attain": rng.poisson(3.0, rows), "w": rng.uniform(1, 2, rows),
            "year": np.arange(rows) % 8 + 2000, "text": np.array(["a", "b", "c"])[rng.integers(0, 3, rows)],
            "when": pd.date_range("2020-01-01", periods=rows), "flag": rng.random(rows) < 0.5,
            "kind": pd.Categorical.from_codes(rng.integers(0, 3, rows).tolist(), ["low", "mid", "high"]),
            "empty": np.full(rows, np.nan),
        }
    )  # fmt: skip


SITUATIONS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "logit": ("melogit c_use i.urban age i.children || district:", "estimates store r_int",
              "melogit c_use i.urban age || district: age", "estimates store r_urban",
              "melogit c_use i.urban age i.children || district:"),
    "ordinal": ("meologit children i.urban age || district:", "estimates store r_int"),
    "count": ("mepoisson attain i.sex vrq || school: || sid:", "estimates store r_int"),
    "linear": ("meglm vrq i.urban i.children || district: urban, covariance(unstructured)",),
    "crossed": ("melogit c_use i.urban age || _all: R.district || school:",),
    "svy": ("svyset district", "svy: melogit c_use i.urban age i.children || district:"),
    "posted": ("melogit c_use i.urban age i.children || district:", "margins urban, post"),
    "poststored": ("melogit c_use i.urban age i.children || district:", "margins children, post",
                   "estimates store m", "melogit c_use age || district:", "tsset firm year"),
    "unestimated": ("melogit c_use i.urban age || district:, noestimate",),
    "constrained": ("constraint 1 age = 0", "melogit c_use i.urban age || district:, constraints(1)"),
    "single": ("meprobit c_use i.urban age",),
}  # fmt: skip
"""Commands that have been run before, by the name of the situation."""


def situation(name: str) -> Session:
    """A session in which those commands have been run."""
    session = Session(frame(), matrices={"A": np.array([[0.2, 0.0], [0.0, np.nan]])})
    for text in SITUATIONS[name]:
        session.run(text)
    return session


@dataclass
class Findings:
    """What came of the commands."""

    run: int = 0
    fine: int = 0
    refused: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    bare: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    slow: list[str] = field(default_factory=list)


class _TooLong(BaseException):
    pass


def _copied(session: Session) -> Session:
    own = copy.copy(session)
    for name, value in vars(session).items():
        if isinstance(value, dict):
            setattr(own, name, dict(value))
    own._data = None if session._data is None else session._data.copy()
    return own


def state(session: Session) -> dict[str, Any]:
    """What a session remembers, for comparison."""
    kept = dict(vars(session))
    data = kept.pop("_data")
    kept["_data"] = (
        None if data is None else (data.copy(), data.dtypes.astype(str).to_dict(), dict(data.attrs))
    )
    kept.pop("rc")
    kept["_last text"] = None if session._last is None else repr(session._last.params)
    return {name: dict(value) if isinstance(value, dict) else value for name, value in kept.items()}


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of what is no longer the same."""
    return [name for name in before if not _same(before[name], after.get(name))]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        return isinstance(other, pd.DataFrame) and one.equals(other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, str):
        return bool(one == other)
    return one is other or (isinstance(one, np.ndarray) and np.array_equal(one, other, equal_nan=True)) or (
        not isinstance(one, np.ndarray) and bool(one == other)
    )  # fmt: skip


@contextmanager
def _limit(seconds: int) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _TooLong

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def attempt(session: Session, text: str, found: Findings, label: str = "", data: Any = None) -> None:
    """Run a command on a copy of the session and note what is not as it should be."""
    own = _copied(session)
    before = state(own)
    found.run += 1
    described = f"[{label}] {text!r}"
    try:
        with _limit(SECONDS), warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter(WARNINGS)
            shown = own.run(text, data=data)
            for render in ("__str__", "_repr_html_"):
                if hasattr(shown, render):
                    getattr(shown, render)()
        found.fine += 1
        return
    except CommandError as error:
        found.refused += 1
        _judge(error, described, found)
    except _TooLong:
        found.slow.append(described)
    except Exception:
        last = traceback.format_exc().strip().split("\n")
        place = [line.strip() for line in last if "memagic" in line and "File" in line][-1:]
        found.faults.setdefault(f"{last[-1][:150]} @ {place[0][-70:] if place else ''}", []).append(described)
    if gone := differences(before, state(own)):
        found.changed.append(f"{described}: {gone}")


def _judge(error: CommandError, described: str, found: Findings) -> None:
    if not (isinstance(error.rc, int) and error.rc > 0 and error.message.strip()):
        found.faults.setdefault("no code or message", []).append(described)
    if error.text is None:
        found.faults.setdefault("no command text: " + error.message[:60], []).append(described)
    elif error.span is None:
        key = f"{error.rc} " + re.sub(r"[\d.]+", "#", error.message)[:70]
        found.bare[key] += 1
        found.samples.setdefault(key, described)
    elif not 0 <= error.span[0] <= error.span[1] <= len(error.text) + 1:
        found.faults.setdefault(f"span outside the text: {error.message[:60]}", []).append(described)


def survey(count: int, seed: int, only: str | None = None) -> Findings:
    """Damaged commands, `count` of each command in every situation that suits it."""
    rng, found, texts = np.random.default_rng(seed), Findings(), commands()
    for name in SITUATIONS:
        if only is not None and name != only:
            continue
        session = situation(name)
        for text in texts:
            fits = text.split()[0].rstrip(",:") in (*COMMANDS, "svy", "by", "bysort", "quietly", "capture")
            if fits and name not in ("nothing", "logit"):
                continue
            if re.match(r"est\w* (save|use)", text):
                continue
            attempt(session, text, found, name)
            for _ in range(count):
                slipped = damaged(text, rng)
                if "bootstrap" not in slipped and not re.match(r"\W*est\w* (save|use)", slipped):
                    attempt(session, slipped, found, name)
    return found


def report(found: Findings) -> str:
    """The findings in words."""
    lines = [f"{found.run} commands: {found.fine} ran, {found.refused} were refused"]
    for title, items in (("changed the session", found.changed), ("took too long", found.slow)):
        lines.append(f"{len(items)} {title}")
        lines += [f"    {item}" for item in items[:20]]
    lines.append(f"{len(found.faults)} kinds of faults, {sum(map(len, found.faults.values()))} in all")
    for kind, where in found.faults.items():
        lines += [f"  {len(where)}x {kind}", *(f"      {item}" for item in sorted(where, key=len)[:3])]
    lines.append(f"{len(found.bare)} messages without a place, {found.bare.total()} in all")
    lines += [f"  {n}x {key}   {found.samples[key]}" for key, n in found.bare.most_common()]
    return "\n".join(lines)
