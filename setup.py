"""The compiled part of the package; everything else is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import Extension, setup

FLAGS = [] if sys.platform == "win32" else ["-O3", "-std=c11", "-fno-math-errno", "-fno-trapping-math"]

setup(
    ext_modules=[
        Extension(
            "memagic.engine._kernel",
            sources=["src/native/module.c"],
            depends=[str(path) for path in sorted(Path("src/native").glob("*.h"))],
            extra_compile_args=FLAGS,
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
