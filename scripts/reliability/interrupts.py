"""Interrupts at random moments: the session goes on to work, and files are whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from scripts.reliability.attempts import differences, state
from scripts.reliability.situations import frame

import memagic
from memagic import Break, Session
from memagic.errors import CommandError

FIT = "melogit c_use i.urban age i.children || district: age, covariance(unstructured) intpoints(15)"
COMMANDS = (
    FIT,
    "meglm vrq i.urban || school: || district: urban, covariance(unstructured)",
    "mepoisson attain vrq || _all: R.school || district:",
    "predict u*, reffects reses(s*)",
    "predict pm, marginal",
    "margins children, at(age=(-3 0 3))",
    "lrtest, mixture",
    "lrtest r_small, bootstrap(40) seed(1)",
    "lrtest r_small, bootstrap(40) seed(1) workers(2)",
    "quadchk 5 9 15",
    'estimates save "{file}", replace',
    'estimates use "{file}"',
    "bysort urban: melogit c_use age || district:",
)


def ready(folder: Path) -> Session:
    """A session with estimates, a smaller model stored, and a file."""
    session = Session(frame())
    session.run("melogit c_use i.urban age i.children || district:")
    session.run("estimates store r_small")
    session.run("melogit c_use i.urban age i.children || district: age")
    session.run(f'estimates save "{folder / "saved"}", replace')
    return session


def interrupted(session: Session, text: str, delay: float) -> Any:
    """What a command ends in where SIGINT comes `delay` seconds after its start."""
    timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
    outcome: Any = None
    try:
        timer.start()
        outcome = session.run(text)
        timer.cancel()
        timer.join()
        time.sleep(0.001)
    except CommandError as error:
        outcome = error
        timer.join()
    except KeyboardInterrupt as error:
        # Before the command began or after it ended: no affair of the session's.
        inside = any("/memagic/" in place.filename for place in traceback.extract_tb(error.__traceback__))
        outcome = "KeyboardInterrupt" if inside else None
    return outcome


def one(text: str, folder: Path, times: int, rng: random.Random, found: Counter[str]) -> list[str]:
    """A command, interrupted so many times."""
    session, problems = ready(folder), []
    text = text.format(file=folder / "saved")
    start = time.perf_counter()
    session.run(text)
    whole = time.perf_counter() - start
    session = ready(folder)
    for _ in range(times):
        for name in [c for c in session.data.columns if (c[:1] in "us" and c[1:].isdigit()) or c == "pm"]:
            del session.data[name]
        before = state(session)
        outcome = interrupted(session, text, rng.uniform(0.0, 1.1 * whole))
        kind = type(outcome).__name__ if not isinstance(outcome, str) else outcome
        found[kind] += 1
        if isinstance(outcome, Break):
            found["with a result so far"] += outcome.so_far is not None
            if outcome.so_far is not None:
                str(outcome.so_far)
                again = (
                    memagic.run(
                        FIT + " from(b) iterate(1)", data=session.data, matrices={"b": outcome.so_far.params}
                    )
                    if text == FIT
                    else None
                )
                assert again is None or again.llf >= outcome.so_far.llf - 1e-6
            if gone := differences(before, state(session)):
                problems.append(f"{text}: {gone} changed by an interrupt")
        elif isinstance(outcome, CommandError | str):
            problems.append(f"{text}: {outcome}")
        problems += _files(folder, text)
        session.run("estat ic")
    return problems


def _files(folder: Path, text: str) -> list[str]:
    stray = [p.name for p in folder.iterdir() if p.name != "saved.mefit"]
    for name in stray:
        (folder / name).unlink()
    memagic.load(folder / "saved.mefit")
    return [f"{text}: left {stray}"] if stray else []


_SAVER = """
import sys
from pathlib import Path
from scripts.reliability.interrupts import ready
session = ready(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    session.run(f'estimates save "{Path(sys.argv[1]) / "saved"}", replace')
"""


def killed(times: int, rng: random.Random) -> list[str]:
    """SIGKILL while estimates are saved over and over: what is in the file is whole."""
    problems, strays = [], 0
    for _ in range(times):
        with tempfile.TemporaryDirectory() as name:
            process = subprocess.Popen(
                [sys.executable, "-c", _SAVER, name], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.15))
            process.kill()
            process.wait()
            process.stdout.close()
            try:
                str(memagic.load(Path(name) / "saved.mefit"))
            except CommandError as error:
                problems.append(f"killed: {error}")
            strays += len(list(Path(name).iterdir())) - 1
    return [*problems, f"{times} times killed, {strays} hidden temporary files left"]


def survey(times: int, seed: int) -> str:
    """Every command, interrupted; in words."""
    rng, lines = random.Random(seed), list[str]()
    for text in COMMANDS:
        with tempfile.TemporaryDirectory() as name:
            found: Counter[str] = Counter()
            problems = one(text, Path(name), times, rng, found)
            lines += [f"{text}: {dict(found)}", *(f"    {p}" for p in problems)]
            print(*lines[-1 - len(problems) :], sep="\n", file=sys.stderr)
    return "\n".join([*lines, *killed(times, rng)])
