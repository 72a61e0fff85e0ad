"""Commands of the documentation, and slips in them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from memagic.magics.examples import EXAMPLES
from memagic.magics.topics import TOPICS

ROOT = Path(__file__).resolve().parents[2]

_COMMAND = re.compile(r"^%([a-z]\w*.*)$", re.MULTILINE)
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|\|\||==|[^\w\s]|\s+")
_SKIPPED = {"load_ext", "help", "config", "me", "unload_ext", "matplotlib", "pip", "env", "timeit", "time"}

_OPTIONS = """
or irr eform level(90) level(0) level(abc) intpoints(0) intpoints(1) intpoints(1e9) intpoints(-3)
intmethod(laplace) intmethod(x) iterate(0) iterate(1) tolerance(0) tolerance(-1) noconstant offset(y)
exposure(x) binomial(3) binomial(x) covariance(un) covariance(fixed(A)) family(gamma) family(binomial 0)
link(log) link(identity) vce(robust) vce(cluster g) vce(cluster nobody) constraints(1) constraints(9)
from(b) from(x=1) from(x=.) startgrid startgrid(0) startvalues(zero) startvalues(iv) noestimate
technique(bhhh 1 nr 1) technique(x) mixture bootstrap(3) bootstrap(0) seed(1) seed(-1) marginal reffects
reses(s) reses(y) dydx(*) dydx(nobody) at(x=1) at(x=) at((mean) x) atmeans post over(h) over(x)
expression(1/0) expression(xb()) predict(mu) predict(pr outcome(9)) pwcompare mcompare(sidak) mcompare(x)
accumulate mtest df(0) df(1) effects replace se stats(ll N zz) star b(%9.3f) pweight(w) fweight(w)
collinear asis nofvlabel baselevels coeflegend dnumerical difficult notable noheader nolog nolrtest
"""
OPTIONS = _OPTIONS.split()
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
