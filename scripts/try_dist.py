"""Try what `make dist` has built, away from the checkout and in environments of its own.

    python scripts/try_dist.py

The wheel is installed with its extras and passes all tests, from a copy of tests/. The source distribution
is unpacked, built and installed, and passes tests of its own: those of the package's outside and of the
manual's examples.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# Besides the modules: what the package needs, and what whoever builds it from source wants to see.
IN_WHEEL = (
    "memagic/py.typed",
    "memagic/engine/_kernel.abi3.so",
    "memagic/datasets/bangladesh.csv.gz",
    "memagic/datasets/bangladesh.json",
)
IN_SOURCE = (
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CITATION.cff",
    "Makefile",
    "pyproject.toml",
    "docs/commands.md",
    "notebooks/quickstart.ipynb",
    "scripts/make_commands.py",
    "src/memagic/py.typed",
    "src/native/module.c",
    "src/native/densities.h",
    "tests/conftest.py",
    "tests/reference/values.json",
)
NEVER = ("__pycache__", ".pyc", ".ipynb_checkpoints", "_cache/", ".venv", ".hypothesis", "docs/_build")

# What the source distribution is tried by; the wheel has passed everything.
SUBJECTS = ("api", "packaging", "readme", "docs", "notebooks", "manual_examples")


def main() -> None:
    """Try the wheel, then the source distribution."""
    wheel, source = the_one("*.whl"), the_one("*.tar.gz")
    check_wheel(wheel)
    check_source(source)
    with tempfile.TemporaryDirectory(prefix="memagic-dist-") as name:
        home = Path(name).resolve()
        if SHARED.is_dir():
            (home / "shared").symlink_to(SHARED)
        try_wheel(wheel, home)
        try_source(source, home)


def the_one(pattern: str) -> Path:
    """The one file of dist/ of a kind."""
    found = sorted((ROOT / "dist").glob(pattern))
    if len(found) != 1:
        sys.exit(f"dist/ has {len(found)} files {pattern}, not one: run make dist")
    return found[0]


def check_wheel(wheel: Path) -> None:
    """The package with its data and its licence, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    check(wheel, names, IN_WHEEL)
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        sys.exit(f"{wheel.name} is without its licence")
    others = {name.split("/")[0] for name in names if ".dist-info/" not in name} - {"memagic"}
    if others:
        sys.exit(f"{wheel.name} has more than the package: {', '.join(sorted(others))}")


def check_source(source: Path) -> None:
    """What builds the package, tests it and says what it is."""
    with tarfile.open(source) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    check(source, names, IN_SOURCE)


def check(path: Path, names: list[str], needed: tuple[str, ...]) -> None:
    """What a distribution needs is in it, and no caches are."""
    missing = sorted(set(needed) - set(names))
    caches = [name for name in names if any(part in name for part in NEVER)]
    if missing or caches:
        sys.exit(f"{path.name} is without {missing}, and has {caches}")
    print(f"{path.name}: {len(names)} files, {path.stat().st_size / 1000:.0f} kB", flush=True)


def try_wheel(wheel: Path, home: Path) -> None:
    """All tests, with what they read of the checkout left behind."""
    # With a type checker, for the test of what it sees of an installed package.
    python = environment(home / "wheel-env", f"{wheel}[test,plots,tables]", "mypy", "pandas-stubs")
    copy = home / "wheel"
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    run_tests(python, copy, "-n", "auto")


def try_source(source: Path, home: Path) -> None:
    """Install what is built from it, and run tests of its own."""
    with tarfile.open(source) as archive:
        # Older versions of Python have no filter.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(home / "source")
    (unpacked,) = (home / "source").iterdir()
    # Data that may not be shipped lie beside a checkout.
    if SHARED.is_dir():
        (home / "source" / "shared").symlink_to(SHARED)
    python = environment(home / "source-env", f"{source}[test]")
    run_tests(python, unpacked, *(f"tests/test_{subject}.py" for subject in SUBJECTS))


def environment(folder: Path, *requirements: str) -> Path:
    """The Python of a new environment that has these installed."""
    print(f"installing {', '.join(Path(r).name for r in requirements)}", flush=True)
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, folder, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
    return python


def run_tests(python: Path, folder: Path, *arguments: str) -> None:
    """Run tests below a folder, on the package that is installed."""
    where = (
        f"import memagic; assert memagic.__file__.startswith({str(python.parents[1])!r}), memagic.__file__"
    )
    run(python, folder, "-c", where)
    run(python, folder, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *arguments)


def run(python: Path, folder: Path, *arguments: str) -> None:
    """Run Python in a folder, with nothing of the checkout on its path; give up where it fails."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
    done = subprocess.run([str(python), *arguments], cwd=folder, env=clean, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
