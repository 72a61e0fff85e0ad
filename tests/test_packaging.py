"""What the distribution says of itself, and what installed packages see of it."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

import memagic

Checkout = Callable[[str], Path]

PACKAGE = Path(memagic.__file__).parent


def in_isolation(*arguments: str) -> str:
    """What Python says that hears of no environment variable: of installed packages only."""
    done = subprocess.run([sys.executable, "-I", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def installed() -> metadata.Distribution:
    """The distribution that is tested; skips where the package is on the path but not installed."""
    code = "from importlib.util import find_spec; found = find_spec('memagic'); print(found and found.origin)"
    if in_isolation("-c", code) != memagic.__file__:
        pytest.skip("the package that is tested is on the path, not installed")
    return metadata.distribution("memagic")


def test_one_version(installed: metadata.Distribution) -> None:
    assert installed.version == memagic.__version__
    assert installed.metadata["License-Expression"] == "BSD-3-Clause"
    assert installed.metadata["License-File"] == "LICENSE"


def test_the_news_and_the_citation_are_of_this_version(checkout: Checkout) -> None:
    heading = re.search(r"^## (.*)$", checkout("CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)
    assert heading is not None
    released = re.fullmatch(r"(\S+) \((\d{4}-\d\d-\d\d)\)", heading.group(1))
    assert released is not None
    lines = checkout("CITATION.cff").read_text(encoding="utf-8").splitlines()
    cited = dict(line.split(": ", 1) for line in lines if re.match(r"[\w-]+: ", line))
    assert (cited["version"], cited["date-released"]) == released.groups()
    assert cited["version"] == memagic.__version__
    # What the format's schema asks for.
    assert {"cff-version", "message", "title"} <= set(cited)
    assert "authors:" in lines


def test_extras(installed: metadata.Distribution) -> None:
    assert {"plots", "tables", "test", "dev"} <= set(installed.metadata.get_all("Provides-Extra") or [])


def test_every_dependency_has_a_floor(installed: metadata.Distribution, checkout: Checkout) -> None:
    floors = runpy.run_path(str(checkout("scripts/floors.py")))["floors"]()
    needed = [line for line in installed.requires or [] if "extra ==" not in line]
    names = {re.split(r"[^\w.-]", line)[0] for line in needed}
    assert {"numpy", "pandas", "scipy", "narwhals"} <= names <= set(floors)
    assert floors["numpy"] == "1.26"


def test_two_floors_of_one_package_are_refused(tmp_path: Path, checkout: Checkout) -> None:
    floors = runpy.run_path(str(checkout("scripts/floors.py")))["floors"]
    path = tmp_path / "pyproject.toml"
    path.write_text(
        '[project]\ndependencies = ["a>=1.0", "b[x]>=2,<3", "c"]\n'
        '[project.optional-dependencies]\nmore = ["a>=1.0", "d[more]"]\n'
    )
    assert floors(path) == {"a": "1.0", "b": "2"}
    path.write_text(path.read_text().replace('more = ["a>=1.0"', 'more = ["a>=1.1"'))
    with pytest.raises(ValueError, match="a has two floors"):
        floors(path)


def test_files_of_the_package() -> None:
    there = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    data = {f"datasets/{name}{end}" for name in memagic.datasets.names() for end in (".csv.gz", ".json")}
    assert {"py.typed"} | data <= there


USE = """
import memagic

fit = memagic.melogit("c_use age || district:", "bangladesh", or_=True)
reveal_type(fit)
reveal_type(fit.llf)
reveal_type(memagic.Session("bangladesh"))
memagic.run(1, "bangladesh")
"""


@pytest.mark.slow
def test_a_type_checker_sees_the_types(installed: metadata.Distribution, tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "use.py").write_text(USE)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "use.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("use.py")]
    revealed = [re.sub(r".*Revealed type is \"(.*)\"", r"\1", line) for line in lines if "Revealed" in line]
    assert revealed[0] == "memagic.results.results.MEResults", done.stdout
    assert revealed[1].removeprefix("builtins.") == "float"
    assert revealed[2].startswith("memagic.session.")
    errors = [line for line in lines if "error:" in line]
    assert len(errors) == 1, done.stdout
    assert 'Argument 1 to "run" has incompatible type "int"' in errors[0]
