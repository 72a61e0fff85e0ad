"""What a notebook user waits for: a new process up to the first table. Prints the stages' seconds as JSON.

run.py starts this in processes of its own; the interpreter's start is in its wall time only.
"""

from __future__ import annotations

import json
import time

STARTED = time.perf_counter()


def main() -> None:
    """Start IPython, load the extension, fit the manual's first model and render it."""
    from IPython.core.formatters import DisplayFormatter
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    formatter = DisplayFormatter(parent=shell)
    ipython = time.perf_counter()
    shell.run_line_magic("load_ext", "memagic")
    loaded = time.perf_counter()
    with capture_output():
        shell.run_line_magic("use", "bangladesh")
        result = shell.run_line_magic("melogit", "c_use i.urban age i.children || district:")
        formatter.format(result)
    shown = time.perf_counter()
    stages = {"IPython": ipython - STARTED, "load_ext": loaded - ipython, "first table": shown - loaded}
    print(json.dumps(stages))


if __name__ == "__main__":
    main()
