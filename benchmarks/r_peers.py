"""Fits of a case by R's lme4 and glmmTMB, in a process of their own on the same machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from cases import Formula

__all__ = ["PACKAGES", "r_fields"]

PACKAGES = ("lme4", "glmmTMB")
_SCRIPT = Path(__file__).with_name("peers.R")
_PATIENCE = 900.0


def r_fields(formula: Formula | None, frame: pd.DataFrame) -> list[str]:
    """Seconds and log likelihood of each package, as text."""
    nothing = ["-"] * (2 * len(PACKAGES))
    if formula is None or shutil.which("Rscript") is None:
        return nothing
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        frame.to_csv(path, index=False)
        command = ["Rscript", str(_SCRIPT), str(path), formula.formula, formula.family, str(formula.points)]
        command += [formula.log_exposure or "-", ",".join(formula.factors) or "-"]
        try:
            done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            return [f"> {_PATIENCE:.0f}", *nothing[1:]]
        except subprocess.CalledProcessError:
            return ["failed", *nothing[1:]]
    measured = json.loads(done.stdout.splitlines()[-1])
    fields = []
    for package in PACKAGES:
        seconds, value = measured[package]["seconds"], measured[package]["ll"]
        fields += [
            "-" if seconds is None else f"{seconds:.3f}",
            "-" if value is None else f"{value:.4f}",
        ]
    return fields
