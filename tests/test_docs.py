"""The documentation says what the package says: made pages, links, cells, published numbers."""

from __future__ import annotations

import inspect
import re
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scripts import make_agreement, make_api_pages, make_command_pages, make_docs
from scripts.make_data_page import data_page
from scripts.option_words import WORDS
from scripts.stored_results import ESTIMATION, OTHERWISE, R, estimation_names

import memagic
from memagic import Session, datasets
from memagic.magics.help import help_names
from memagic.magics.topics import TOPICS
from memagic.results import MEResults
from memagic.spec.estat import SUBCOMMANDS
from memagic.spec.options import COMMANDS, options_of

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*DOCS, ROOT / "README.md", ROOT / "CHANGELOG.md"]
# Pages that exist only once they are made.
MADE = {"data.md", "commands/index.md", "api/index.md"}


# --- the table of commands, and a page for each ----------------------------------------------------


def test_the_table_of_commands_is_current() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "make_commands.py"))
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == made["page"](), (
        "run scripts/make_commands.py"
    )


def test_every_command_has_a_row() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    # The head is one of them.
    assert len(rows) == 1 + len(TOPICS)
    # No bar within a cell ends it.
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}
    for topic in TOPICS.values():
        assert topic.title.replace("_", "\\_") in text
    assert "meglm" in help_names()
    assert "docs/commands.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@cache
def pages() -> dict[str, str]:
    return make_command_pages.pages()


@pytest.mark.parametrize("name", TOPICS)
def test_every_command_has_a_page(name: str) -> None:
    text = pages()[name]
    for heading in ("## Syntax", "## What it stores", "## Example"):
        assert f"\n{heading}" in text
    assert f"]({name}.md)" in make_command_pages.index_page()
    # All rows of a table have the same number of cells.
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
        assert len({row.replace("\\|", "").count("|") for row in table.splitlines()}) == 1, table


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_an_estimation_command_has_every_option_with_its_shortest_form(name: str) -> None:
    text = pages()[name]
    for spec in options_of(name, "fixed", "random", "global"):
        assert re.search(rf"^\| `{spec.name}[`(].*\| `{spec.name[: spec.minimum]}` \|", text, flags=re.M)
        for choice in spec.choices:
            assert f"**{choice.name[: choice.minimum]}**{choice.name[choice.minimum :]}" in text


@pytest.mark.parametrize("name", make_command_pages.ALLOWED)
def test_options_have_words(name: str) -> None:
    allowed = make_command_pages.ALLOWED[name]
    assert list(WORDS[name]) == list(allowed)
    for option, one in allowed.items():
        assert bool(WORDS[name][option][0]) == (one.argument != "none"), option


# --- what commands store ---------------------------------------------------------------------------

MODELS = (
    "melogit c_use i.urban age || district:",
    "melogit c_use age, noconstant vce(cluster district) offset(child1)",
    "melogit c_use age [fw=w] || district:, fweight(w2)",
    "meglm c_use age [iw=w], family(binomial 1) || district:, iweight(w2)",
    "melogit c_use age [pw=w], binomial(1) || district:, pweight(w2)",
    "menbreg children age, constraints(1) || district:, intmethod(laplace)",
    "svy: melogit c_use age || district:",
    "svy, subpop(urban): melogit c_use age || district:",
    "meologit children age || district:",
)


def session_of(frame: pd.DataFrame) -> Session:
    session = Session(frame, constraints={1: "age = 0"})
    session.run("svyset district")
    return session


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return datasets.load("bangladesh").assign(w=1, w2=1)


def test_what_estimation_stores_is_described(frame: pd.DataFrame) -> None:
    stored: set[str] = set()
    for command in MODELS:
        result = session_of(frame).run(command)
        assert isinstance(result, MEResults)
        for name, value in result.e.items():
            kind = "Texts" if isinstance(value, str) else "Scalars"
            kind = kind if isinstance(value, int | float | str) else "Matrices"
            assert name in ESTIMATION["Functions" if name == "sample" else kind], name
        stored |= set(result.e)
    assert stored == estimation_names()


TESTS = (
    "test 1.urban = age",
    "test (1.urban) (age) (1.urban = age), mtest(holm)",
    "testparm i.children",
    "lincom 1.urban - age",
    "nlcom _b[age]^2",
    "testnl _b[age]*_b[1.urban] = 1",
    "contrast r.children",
    "pwcompare children",
    "margins urban, at(age=(0 1))",
    "margins, dydx(age) subpop(urban)",
    *(f"estat {name}" for name in SUBCOMMANDS),
)


def test_what_tests_store_is_described(frame: pd.DataFrame) -> None:
    stored: dict[str, set[str]] = {}
    for prefix in ("", "svy: "):
        session = session_of(frame)
        session.run(f"{prefix}melogit c_use i.urban age i.children || district:")
        for command in TESTS:
            if prefix and command == "estat ic":
                continue  # A pseudolikelihood has none.
            words = re.split("[ ,]", command)
            name = " ".join(words[:2]) if words[0] == "estat" else words[0]
            r = session.run(command).r  # type: ignore[union-attr]
            stored.setdefault(name, set()).update(r)
    assert stored == {name: set(names) for name, names in R.items() if name != "lrtest"}


def test_what_lrtest_stores_is_described(frame: pd.DataFrame) -> None:
    session = session_of(frame)
    for command in ("melogit c_use age", "estimates store none", "melogit c_use age || district:"):
        session.run(command)
    r = session.run("lrtest none, mixture bootstrap(2) seed(1)").r  # type: ignore[union-attr]
    assert set(r) == set(R["lrtest"])


def test_every_command_says_what_it_stores() -> None:
    with_r = {name.split()[0] for name in R}
    assert {*COMMANDS, *with_r, *OTHERWISE} == set(TOPICS)
    assert not with_r & set(OTHERWISE)


# --- the Python API --------------------------------------------------------------------------------


def test_every_public_name_is_on_a_page_and_has_a_text() -> None:
    made = "".join(make_api_pages.api_pages().values())
    for name in memagic.__all__:
        assert (f"memagic.{name}\n" in made) != (name in make_api_pages.NOT_CALLED), name
        assert inspect.getdoc(getattr(memagic, name)), name
    for name in make_api_pages.result_members():
        assert f"memagic.MEResults.{name}\n" in made
        assert inspect.getdoc(getattr(MEResults, name)), name
    for name in (name for name in dir(Session) if not name.startswith("_")):
        assert inspect.getdoc(getattr(Session, name)), name


# --- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page: Path) -> None:
    found = make_docs.links(page.read_text(encoding="utf-8"))
    for target in found:
        assert (page.parent / target).exists() or target in MADE, target
    assert found or page.name in ("CHANGELOG.md", "commands.md", "recovery.md", "performance.md")


def test_links_of_the_site_resolve(tmp_path: Path) -> None:
    make_docs.assemble(tmp_path)
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.md")}
    assert made >= MADE | {f"commands/{name}.md" for name in TOPICS}
    # Every page is in a table of contents, but the files that pages name.
    contents = " ".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.md"))
    for path in tmp_path.rglob("*.md"):
        if "source" not in path.relative_to(tmp_path).parts:
            for target in make_docs.links(path.read_text(encoding="utf-8")):
                assert (path.parent / target).exists(), (path, target)
            assert f"\n{path.stem}\n" in contents or f"/{path.stem}\n" in contents or path.stem == "index"


def test_the_site_names_all_pages() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in DOCS:
        assert page.stem == "index" or f"\n{page.stem}\n" in index, page
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"\nnotebooks/{notebook.stem}\n" in index


# --- cells, equations ------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_cells_of_the_tour_run() -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\}\n(.*?)^```$", text, flags=re.S | re.M)
    assert len(cells) >= 3
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = "".join(str(cell.outputs) for cell in notebook.cells)
    for words in ("Odds ratio", "Predictive margins", "Standard deviations and correlations"):
        assert words in shown
    # What the text says of the data.
    assert "1,934 women in 60 districts" in text
    assert "1,934" in shown


def test_equations_can_be_set() -> None:
    mathml = pytest.importorskip("docutils.utils.math.latex2mathml")
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^\$\$\n(.*?)^\$\$$", text, flags=re.S | re.M)
    assert len(blocks) > 20
    for block in blocks:
        assert mathml.tex2mathml(block.strip(), as_block=True).startswith("<math")


def test_every_section_of_methods_names_its_files() -> None:
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for section in re.split(r"^##+ ", text, flags=re.M)[1:]:
        assert "Code: " in section, section.splitlines()[0]


# --- published numbers -----------------------------------------------------------------------------

_NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")


def rows_of(text: str) -> list[list[str]]:
    """The cells of every row of every table."""
    lines = [line.replace("\\|", " ") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.slow
def test_the_page_of_published_numbers_is_current() -> None:
    if not (make_agreement.SHARED / "pig.csv").is_file():
        pytest.skip("the manual's data may not be shipped, and ../shared/data does not have them")
    old = rows_of((ROOT / "docs" / "agreement.md").read_text(encoding="utf-8"))
    new = rows_of(make_agreement.page())
    assert len(old) == len(new), "run python -m scripts.make_agreement"
    compared = 0
    for before, now in zip(old, new, strict=True):
        assert len(before) == len(now)
        for one, other in zip(before, now, strict=True):
            if not (_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other)):
                assert one == other
            elif not re.fullmatch(r"\de[-+]\d+|0", one):  # differences, which are rounding
                a, b = (float(cell.replace(",", "")) for cell in (one, other))
                assert np.isclose(a, b, rtol=2e-6, atol=2e-7), (before, now)
                compared += 1
    assert compared > 2000


def test_the_page_has_every_published_model() -> None:
    text = (ROOT / "docs" / "agreement.md").read_text(encoding="utf-8")
    for example in make_agreement.read("manual_examples")["examples"]:
        if example["data"] is not None:
            assert f"### {example['id']}: " in text
            for row in example["rows"]:
                assert f"| `{make_agreement.address(row['name'])}` |" in text
    for file in ("values", "nested", "ordinal", "crossed", "effects"):
        for model in make_agreement.read(file)["models"]:
            assert f"| {model['id']} | `" in text


# --- licences --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", datasets.names())
def test_the_licence_of_the_data_is_stated(name: str) -> None:
    licence = datasets.describe(name).attrs["licence"]
    assert "mlmRev (GPL >= 2)" in licence
    page = data_page()
    assert f"## {name}" in page
    assert licence in page
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "mlmRev (GPL 2 or later)" in readme
