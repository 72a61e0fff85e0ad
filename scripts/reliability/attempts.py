"""One command on a copy of a session: what it ends in, and whether the session is as it was."""

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
from types import FrameType
from typing import Any, Literal

import numpy as np
import pandas as pd

from memagic import Session
from memagic.errors import CommandError

SECONDS = 30
WARNINGS: Literal["error", "ignore"] = "error"


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
    return (
        one is other
        or (isinstance(one, np.ndarray) and np.array_equal(one, other, equal_nan=True))
        or (not isinstance(one, np.ndarray) and bool(one == other))
    )


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
