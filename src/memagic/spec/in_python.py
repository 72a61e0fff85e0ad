"""What is typed in Python or pandas for what a do-file has besides the commands: for hints."""

from __future__ import annotations

import re

from memagic.spec.options import COMMANDS

__all__ = ["in_python", "value_hint"]

_LOOP = 'a loop is Python\'s: for v in ["x1", "x2"]: memagic.run(f"melogit y {v} || group:", df)'
_MACRO = (
    'names and values are variables of Python: v = "x1", then memagic.run(f"melogit y {v} || group:", df)'
)
# Commands on data and of programs, with their least letters, and what does the same in Python.
_IN_PYTHON = (
    ("generate", 1, 'in pandas: df["z"] = df["x"] ** 2'),
    ("egen", 4, 'in pandas: df["mean_x"] = df.groupby("g")["x"].transform("mean")'),
    ("replace", 7, 'in pandas: df.loc[df["x"] > 99, "x"] = float("nan")'),
    ("list", 1, "in Python: df, or df.head()"),
    ("browse", 2, "in Python: df"),
    ("describe", 1, "in pandas: df.info()"),
    ("codebook", 8, 'in pandas: df["x"].describe()'),
    ("count", 3, "in Python: len(df)"),
    ("summarize", 2, 'in pandas: df["x"].describe(); after a fit, estat summarize'),
    ("tabulate", 2, 'in pandas: df["x"].value_counts(), or pd.crosstab(df["x"], df["z"])'),
    ("tabstat", 7, 'in pandas: df.groupby("g")["x"].agg(["mean", "std"])'),
    ("table", 5, 'in pandas: pd.crosstab(df["x"], df["z"])'),
    ("correlate", 3, 'in pandas: df[["x", "z"]].corr()'),
    ("keep", 4, 'in pandas: df = df[["x", "z"]], or df[df["x"] > 0]'),
    ("drop", 4, 'in pandas: df = df.drop(columns="x"), or df[df["x"] > 0]'),
    ("rename", 3, 'in pandas: df = df.rename(columns={"x": "z"})'),
    ("recode", 6, 'in pandas: df["x"] = df["x"].replace({1: 0, 2: 1})'),
    ("encode", 6, 'in pandas: df["x"] = df["x"].astype("category")'),
    ("destring", 8, 'in pandas: df["x"] = pd.to_numeric(df["x"])'),
    ("label", 3, 'in pandas: df.attrs["value_labels"] = {"x": {0: "no", 1: "yes"}}'),
    ("sort", 2, 'in pandas: df = df.sort_values("x")'),
    ("gsort", 5, 'in pandas: df = df.sort_values("x", ascending=False)'),
    ("merge", 3, 'in pandas: df = df.merge(other, on="id")'),
    ("append", 3, "in pandas: df = pd.concat([df, other])"),
    ("reshape", 7, "in pandas: df.melt(...), or df.pivot(...)"),
    ("collapse", 8, 'in pandas: df.groupby("g").mean()'),
    ("import", 3, 'in pandas: df = pd.read_csv("file.csv"), then use df'),
    ("insheet", 7, 'in pandas: df = pd.read_csv("file.csv"), then use df'),
    ("sysuse", 6, "examples are put in use by: use bangladesh"),
    ("webuse", 6, "examples are put in use by: use bangladesh"),
    ("save", 2, 'in pandas: df.to_stata("file.dta")'),
    ("clear", 5, "there is nothing to clear: use replaces the data in use"),
    ("display", 2, "in Python: print(...)"),
    ("local", 3, _MACRO),
    ("global", 2, _MACRO),
    ("scalar", 3, "a number is a variable of Python: a = 2"),
    ("foreach", 7, _LOOP),
    ("forvalues", 4, _LOOP),
    ("while", 5, _LOOP),
    ("do", 2, "a file of commands is run by Python: %run file.ipy"),
    ("return", 3, 'results are in the object: found = %test x, then found.r["chi2"], found.r'),
    ("ereturn", 3, 'results are in the object: fit.e["ll"], fit.e'),
)

# Values of Python in braces or after a dollar sign, as other magics take them, and the macros of do-files.
_VALUE = re.compile(
    r"\{\s*(?P<braces>[A-Za-z_][\w.]*)\s*\}|\$\{?(?P<dollar>[A-Za-z_]\w*)\}?|`(?P<macro>[A-Za-z_]\w*)'"
)


def in_python(word: str) -> str | None:
    """What does the same in Python or pandas as a command on data or of programs; None for other words."""
    for name, least, instead in _IN_PYTHON:
        if len(word) >= least and name.startswith(word):
            return instead
    return None


def value_hint(text: str) -> str | None:
    """What to type for a command with values of Python or macros in it, as ``{v}``, ``$v`` or `` `v' ``.

    Parameters
    ----------
    text : str
        The command, in which there is a mistake.
    """
    bare = re.sub(r'"[^"\n]*"', "", text)
    if _VALUE.search(bare) is None:
        return None
    command = " ".join(_VALUE.sub(lambda match: f"{{{match[match.lastgroup or 0]}}}", text).split())
    quote = "'" if '"' in command else '"'
    name, _, rest = command.partition(" ")
    if not set(COMMANDS).isdisjoint(command.split()):
        return f"a value of Python goes in by an f-string: memagic.run(f{quote}{command}{quote}, df)"
    line = f"get_ipython().run_line_magic({quote}{name}{quote}, f{quote}{rest}{quote})"
    return f"a value of Python goes in by an f-string: {line}"
