"""Who may know whom: imports point down, never in a circle. How long things are, and what is documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable
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
    ("plots", "widgets"),
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

# Lines of a file, and of a function without its docstring.
MOST_LINES, MOST_OF_A_FUNCTION = 350, 60
# What is longer, and why.
LONGER = {
    "spec/tree.py": "a record for every node of the syntax tree, which refer to each other",
    "engine/held.py: derivatives_look": "the arrays of one look, each made from those before it",
}
# The words of the field that an array's docstring needs; "as of" refers to another function's.
SHAPES = ("shape", "as of", "as for", "as in")
# Those that take no more than theta, or what their neighbours in the file describe.
WITHOUT_SHAPES = {
    "engine/adaptation.py": {"look_at"},
    "engine/crossed/laplace.py": {"posterior_mode"},
    "engine/crossed/modes.py": {"find_mode", "scaled"},
    "engine/crossed/posterior.py": {"from_nested"},
    "engine/crossed/products.py": {"dot", "gram", "joint"},
    "engine/linear.py": {"cluster_mean_variance"},
    "engine/objective.py": {"value_or_nan"},
    "engine/plain.py": {"plain_start"},
}

FILES = sorted(SOURCE.rglob("*.py"))
ROOT = Path(__file__).resolve().parents[1]
NATIVE = sorted((ROOT / "src" / "native").glob("*.[ch]"))


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
    assert {room(name) for name in MODULES} - {""} == set(FLOOR)


def test_the_map_for_contributors_is_this_one(checkout: Callable[[str], Path]) -> None:
    """Its rows go from the top to the bottom, rooms on one floor in any order."""
    text = checkout("docs/contributing.md").read_text(encoding="utf-8")
    rows = [
        re.findall(r"`([\w/.]+)`", line.split("|")[1]) for line in text.split("\n") if line.startswith("| `")
    ]
    words = [word for row in rows[: rows.index(["datasets/", "errors.py"]) + 1] for word in row]
    drawn = [
        "result" if word == "results/results.py" else word.rstrip("/").removesuffix(".py") for word in words
    ]
    assert sorted(drawn) == sorted(FLOOR)
    floors = [FLOOR[name] for name in drawn]
    assert floors == sorted(floors, reverse=True)


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


# --- length and docs ------------------------------------------------------------------------------


def functions_of(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without the docstring."""
    first, doc = function.body[0], 0
    if ast.get_docstring(function) is not None:
        doc = (first.end_lineno or 0) - first.lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - doc


@pytest.mark.parametrize(
    "file", [*FILES, *NATIVE], ids=lambda file: relative(file) if file in FILES else file.name
)
def test_files_are_short(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES or (file in FILES and relative(file) in LONGER)


@every_file
def test_functions_are_short(file: Path) -> None:
    long = {
        f"{relative(file)}: {one.name}" for one in functions_of(file) if lines_of(one) > MOST_OF_A_FUNCTION
    }
    assert not long - set(LONGER)


def exported(file: Path) -> list[ast.FunctionDef | ast.ClassDef]:
    """What stands in the file's `__all__` and is defined in it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names: set[object] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = {element.value for element in ast.walk(node.value) if isinstance(element, ast.Constant)}
    return [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name in names]


@every_file
def test_what_is_offered_is_documented(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.parse(text).body)
    assert "__all__ = [" in text or not defines or file.name == "__init__.py", (
        f"no __all__ in {relative(file)}"
    )
    for node in exported(file):
        assert ast.get_docstring(node), f"{relative(file)}: {node.name}"


@pytest.mark.parametrize(
    "file", [file for file in FILES if room(module_name(file)) == "engine"], ids=relative
)
def test_arrays_of_the_engine_have_their_shapes_in_the_docs(file: Path) -> None:
    for node in exported(file):
        if isinstance(node, ast.FunctionDef):
            signature = f"{ast.unparse(node.args)} {ast.unparse(node.returns) if node.returns else ''}"
        else:
            signature = " ".join(ast.unparse(n.annotation) for n in node.body if isinstance(n, ast.AnnAssign))
        if re.search(r"\b(Array|Index|Mask|NDArray)\b", signature):
            words = (ast.get_docstring(node) or "").lower()
            known = any(word in words for word in SHAPES)
            assert known or node.name in WITHOUT_SHAPES.get(relative(file), ()), (
                f"{relative(file)}: {node.name}"
            )
