"""Make the example data that ship with the package from R's package mlmRev.

Needs Rscript and mlmRev (Debian: r-cran-mlmrev). Run from anywhere: ``python scripts/make_datasets.py``.
The files it writes are the same bytes on every run.
"""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "memagic" / "datasets"

MLMREV = (
    "Made by scripts/make_datasets.py from the R package mlmRev (GPL >= 2), which has it from the Centre for "
    "Multilevel Modelling, University of Bristol."
)

METADATA: dict[str, dict[str, Any]] = {
    "bangladesh": {
        "title": "Bangladesh Fertility Survey, 1989",
        "source": "Steele, Diamond and Amin (1996), JRSS A 159: 289-299. mlmRev: Contraception.",
        "licence": MLMREV,
        "notes": [
            "Two women (rows 674 and 1925), rural and not using contraception, have two children here; "
            "mlmRev has one. The Centre's own copy of the data agrees with two.",
            "mlmRev's ages are cut at seven characters (-5.5599); the eighth is restored (-5.55999).",
            "The texts of the value label childlbl, and of urban, are this package's.",
        ],
        "variables": {
            "district": {"type": "byte", "label": "District"},
            "c_use": {"type": "byte", "label": "Use contraception", "value_label": "yesno"},
            "urban": {"type": "byte", "label": "Urban or rural", "value_label": "urban"},
            "age": {"type": "double", "label": "Age, mean centered"},
            "child1": {"type": "byte", "label": "1 child"},
            "child2": {"type": "byte", "label": "2 children"},
            "child3": {"type": "byte", "label": "3 or more children"},
            "children": {"type": "byte", "label": "Number of children", "value_label": "childlbl"},
        },
        "value_labels": {
            "yesno": {"0": "no", "1": "yes"},
            "urban": {"0": "rural", "1": "urban"},
            "childlbl": {"0": "None", "1": "1 child", "2": "2 children", "3": "3 or more children"},
        },
    },
    "fifeschool": {
        "title": "School data from Fife, Scotland",
        "source": "Paterson (1991), Evaluation and Research in Education 5: 97-121. mlmRev: ScotsSec.",
        "licence": MLMREV,
        "notes": [],
        "variables": {
            "pid": {"type": "int", "label": "Primary school ID"},
            "sid": {"type": "byte", "label": "Secondary school ID"},
            "attain": {"type": "byte", "label": "Attainment score at age 16"},
            "vrq": {
                "type": "int",
                "label": "Verbal-reasoning score from final year of primary school",
            },
            "sex": {"type": "byte", "label": "1: female; 0: male"},
        },
        "value_labels": {},
    },
}


def exported() -> dict[str, pd.DataFrame]:
    """The copies of mlmRev, numbers only; ages stay text so that no digit is lost."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["Rscript", str(Path(__file__).with_name("export_mlmrev.R")), folder], check=True)
        return {name: pd.read_csv(Path(folder) / f"{name}.csv", dtype={"age": str}) for name in METADATA}


def corrected_age(text: str) -> str:
    """Restore the digit that mlmRev's seven characters cut from ages such as -5.55999."""
    number = float(text)
    shown = repr(number)
    return f"{shown}9" if round(number, 2) != number else shown


def bangladesh(frame: pd.DataFrame) -> pd.DataFrame:
    """The two corrections, and the indicators of the number of children."""
    frame = frame.copy()
    # Fixed positions, checked by what is there: both are rural non-users with one child in mlmRev.
    for row, district in ((673, 19), (1924, 61)):
        found = list(frame[["district", "c_use", "urban", "children"]].iloc[row])
        if found != [district, 0, 0, 1]:
            raise ValueError(f"row {row} of mlmRev's Contraception is not the expected one: {found}")
        frame.loc[row, "children"] = 2
    frame["age"] = frame["age"].map(corrected_age)
    for count in (1, 2, 3):
        frame[f"child{count}"] = frame["children"].eq(count).astype(int)
    return frame


def write(name: str, frame: pd.DataFrame) -> None:
    """Write the data and their description."""
    metadata = METADATA[name]
    text = io.StringIO()
    frame[list(metadata["variables"])].to_csv(text, index=False, lineterminator="\n")
    # No time stamp and no file name inside, so that the bytes depend on the data alone.
    packed = gzip.compress(text.getvalue().encode("ascii"), compresslevel=9, mtime=0)
    (TARGET / f"{name}.csv.gz").write_bytes(packed)
    (TARGET / f"{name}.json").write_text(json.dumps(metadata, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Make every data set."""
    frames = exported()
    frames["bangladesh"] = bangladesh(frames["bangladesh"])
    for name, frame in frames.items():
        write(name, frame)
        print(f"{name}: {len(frame):,} observations")


if __name__ == "__main__":
    main()
