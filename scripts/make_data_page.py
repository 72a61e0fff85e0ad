"""The documentation's page on the example data, from their descriptions."""

from __future__ import annotations

from memagic import datasets

__all__ = ["data_page"]

HEAD = """# Example data

`%use name` puts one of these in use; `memagic.datasets.load(name)` gives the DataFrame, and
`memagic.datasets.describe(name)` its variables, with title, source, licence and notes in `attrs`.

memagic itself is under the BSD 3-clause licence. The data are not: they come from the R package mlmRev,
which is under the GNU General Public Licence, version 2 or later, and that licence goes with them. The
corrections to them are listed here.
"""


def data_page() -> str:
    """The page in Markdown."""
    lines = [HEAD]
    for name in datasets.names():
        about = datasets.describe(name)
        lines += [f"## {name}", "", f"{about.attrs['title']}. {about.attrs['source']}", ""]
        lines += [f"**Licence.** {about.attrs['licence']}", ""]
        lines += [f"- {note}" for note in about.attrs["notes"]] + [""]
        lines += ["| variable | type | |", "|---|---|---|"]
        lines += [f"| `{row.Index}` | {row.type} | {row.label} |" for row in about.itertuples()]
        lines.append("")
    return "\n".join(lines)
