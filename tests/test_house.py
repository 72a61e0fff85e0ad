"""Who may know whom: the imports of the package point down, and never in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import memagic

SOURCE = Path(memagic.__file__).parent

# From the bottom to the top. Rooms on one floor do not know each other.
FLOORS = (
    ("errors",),
    ("datasets",),
    ("engine", "spec", "display"),
    ("data",),
    ("models",),
    ("results",),
    ("postestimation",),
    ("plots",),
    ("widgets",),
    ("result",),
    ("commands",),
    ("session",),
    ("api",),
    ("magics",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# The result as users hold it stands on top of what is computed from estimates, and hands on to it.
RESULT = {"memagic.results", "memagic.results.results", "memagic.results.replay"}

# Rooms that know less than what is below them.
KNOWN_ONLY = {
    "engine": {"errors"},
    "spec": {"errors"},
    "display": {"errors"},
    "data": {"spec", "datasets", "errors"},
}

# Packages from outside and the rooms that may import them, anywhere in a file.
OUTSIDE = {
    "numpy": {
        "datasets",
        "engine",
        "data",
        "models",
        "results",
        "postestimation",
        "plots",
        "widgets",
        "result",
        "commands",
        "session",
        "api",
        "magics",
    },
    "pandas": {
        "datasets",
        "data",
        "results",
        "postestimation",
        "plots",
        "widgets",
        "result",
        "commands",
        "session",
        "api",
        "magics",
    },
    "scipy": {"engine", "data", "results"},
    "IPython": {"magics"},
    "ipywidgets": {"widgets"},
    "matplotlib": {"plots"},
    "narwhals": {"data"},
    "distributed": {"data"},
    "dask": {"data"},
}

# Heavy packages that no module imports when it is itself imported.
LATE = ("statsmodels", "matplotlib")

FILES = sorted(SOURCE.rglob("*.py"))


def module_name(file: Path) -> str:
    """``memagic.data.terms`` for a file of the package; ``memagic.data`` for its ``__init__``."""
    parts = list(file.relative_to(SOURCE.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The room of a module of the package; empty for the package itself."""
    if module in RESULT:
        return "result"
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


MODULES = {module_name(file): file for file in FILES}


def imported(node: ast.AST, package: list[str]) -> list[str]:
    """The modules that one statement imports; `from x import y` counts as x.y where that is a module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = package[: len(package) - node.level + 1]
            base = ".".join([*above, base] if base else above)
        below = [f"{base}.{alias.name}" for alias in node.names]
        found = [name for name in below if name in MODULES]
        return [*found, base] if len(found) < len(below) else found
    return []


def imports(file: Path, *, loading: bool = False) -> list[str]:
    """Everything that a file imports, or only what it imports while it is itself imported."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    module = module_name(file)
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    waiting: list[ast.AST] = [tree]
    names: list[str] = []
    while waiting:
        node = waiting.pop()
        names += imported(node, package)
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if loading and (lazy or typing_only):
            continue
        waiting += ast.iter_child_nodes(node)
    return names


def of_the_package(names: list[str]) -> list[str]:
    return [name for name in names if name.split(".")[0] == "memagic"]


def relative(file: Path) -> str:
    return file.relative_to(SOURCE).as_posix()


every_file = pytest.mark.parametrize("file", FILES, ids=relative)


def test_every_room_has_its_floor() -> None:
    assert {room(name) for name in MODULES} - {""} <= set(FLOOR)


@every_file
def test_imports_point_down(file: Path) -> None:
    here = room(module_name(file))
    if not here:
        # The package itself is the door: it names the rooms above it, and imports them when asked.
        assert of_the_package(imports(file, loading=True)) == []
        return
    for name in of_the_package(imports(file)):
        there = room(name)
        if there == here:
            continue
        assert there, f"{relative(file)} imports {name}, the package that contains it"
        assert FLOOR[there] < FLOOR[here], f"{relative(file)} imports {name}: {here} is not above {there}"
        if here in KNOWN_ONLY:
            assert there in KNOWN_ONLY[here], f"{relative(file)} imports {name}: {here} may not know {there}"


def test_no_circle() -> None:
    graph = {
        name: {other for other in of_the_package(imports(file)) if other in MODULES and other != name}
        for name, file in MODULES.items()
        if name != "memagic"
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]))
    assert set(graph) <= set(order)


@every_file
def test_packages_from_outside(file: Path) -> None:
    here = room(module_name(file))
    for name in imports(file):
        top = name.split(".")[0]
        if top in OUTSIDE:
            assert here in OUTSIDE[top], f"{relative(file)} imports {name}"


@every_file
def test_heavy_packages_are_imported_late(file: Path) -> None:
    early = {name.split(".")[0] for name in imports(file, loading=True)}
    assert not early & set(LATE)


@pytest.mark.parametrize(
    "room_",
    [
        "engine",
        "spec",
        "display",
        "data",
        "results",
        "postestimation",
        "plots",
        "widgets",
        "result",
        "commands",
        "datasets",
    ],
)
def test_rooms_print_nothing(room_: str) -> None:
    for file in FILES:
        if room(module_name(file)) != room_:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            printing = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            )
            assert not printing, f"{relative(file)}, line {getattr(node, 'lineno', 0)}"


def loaded_after(code: str) -> set[str]:
    """The top-level packages in memory after `code` has run in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_of_the_package_is_light() -> None:
    heavy = {"numpy", "pandas", "scipy", "statsmodels", "matplotlib", "IPython", "ipywidgets"}
    assert loaded_after("import memagic") & heavy == set()


def test_import_of_the_functions_needs_no_notebook() -> None:
    heavy = {"statsmodels", "matplotlib", "IPython", "ipywidgets"}
    assert loaded_after("from memagic import melogit, Session") & heavy == set()
