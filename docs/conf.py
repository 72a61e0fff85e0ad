"""How Sphinx makes the documentation from what `scripts/make_docs.py` has put together."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger

project = "memagic"
author = "memagic developers"
copyright = author
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "memagic"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["memagic.css"]
html_math_renderer = "mathml"

# Every cell of every page and notebook runs, in a kernel a page; an error in one ends the build.
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True
# No kernel stands behind the pages: widgets are shown as the tables and drawings that stand for them.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
nb_ipywidgets_js: dict[str, str] = {}
# A live log that has ended leaves an empty display.
suppress_warnings = ["mystnb.unknown_mime_type"]

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
napoleon_google_docstring = False


# Sizes of parentheses, which the conversion does not know.
_SIZES = re.compile(r"\\[bB]igg?[lr]?(?![A-Za-z])")


def _mathml(node: Any, as_block: bool) -> str:
    try:
        return str(tex2mathml(_SIZES.sub("", node.astext()).strip(), as_block=as_block))
    except MathError as error:
        getLogger(__name__).warning("%s in %s", error, node.astext(), location=node)
        return f"<code>{escape(node.astext())}</code>"


def _inline(page: Any, node: Any) -> None:
    page.body.append(_mathml(node, as_block=False))
    raise SkipNode


def _block(page: Any, node: Any) -> None:
    page.body.append(f'<div class="equation">{_mathml(node, as_block=True)}</div>\n')
    raise SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Equations are MathML: they need no script from elsewhere, and are read without a connection."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
