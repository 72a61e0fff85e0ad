"""Wrong turns: every command of the help, notebooks and documentation, damaged in one place or two.

A damaged command has to end in a result or in a `CommandError` that leaves the session as it was.
"""

from __future__ import annotations

import re

import numpy as np
from scripts.reliability.attempts import Findings, attempt
from scripts.reliability.situations import SITUATIONS, situation
from scripts.reliability.slips import commands, damaged

from memagic.spec.options import COMMANDS


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
